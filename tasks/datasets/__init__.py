"""Data sets: readers of ten formats, the sample table, taxonomies, checks before training, overview, export."""

from typing import TYPE_CHECKING

from tasks import face

if TYPE_CHECKING:
    from tasks.datasets.checks.page import print_checks
    from tasks.datasets.colour import cielab, colour_features, colour_statistics
    from tasks.datasets.config import DatasetsConfig, FolderDataset, RunConfig, SampleDataset
    from tasks.datasets.divergence import jensen_shannon
    from tasks.datasets.drafts.formats import format_of
    from tasks.datasets.drafts.layout import Layout, look_at
    from tasks.datasets.drafts.maps import draft_map
    from tasks.datasets.errors import DatasetError, ImageError, ItemError, TaxonomyError
    from tasks.datasets.export import export_table
    from tasks.datasets.files import files_below
    from tasks.datasets.images import (
        SUFFIXES,
        PixelError,
        content_of,
        other_size,
        read_image,
        read_label,
        rgb_of,
    )
    from tasks.datasets.make_checks import CHECKS_PAGE, build_checks, checks_recipe, read_checks
    from tasks.datasets.make_dataset import build_dataset, dataset_recipe, drawn_recipe, read_counts
    from tasks.datasets.masks import IGNORE, MaskEncoding, decoded, read_mask
    from tasks.datasets.overview.numbers import ClassCount, Overview, overview_of
    from tasks.datasets.overview.page import percent, print_overview, write_overview
    from tasks.datasets.pages import Packed, page_templates, webp_uri
    from tasks.datasets.png import PNG
    from tasks.datasets.preflight import datasets_problems, label_problems
    from tasks.datasets.priors import heat_map, heat_position, mask_of, spatial_priors
    from tasks.datasets.rejected import REJECTED, read_rejected, tell_rejected
    from tasks.datasets.select import subset
    from tasks.datasets.set_distances import frechet_distance, kernel_distance
    from tasks.datasets.table import SCHEMA, TABLE, Box, Sample, SampleTable, SegmentationClass, TableInfo
    from tasks.datasets.taxonomy import Taxonomy
else:
    __all__, __getattr__ = face(__name__, __file__)
