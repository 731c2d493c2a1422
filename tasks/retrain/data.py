"""Sample tables as mmdet and mmseg data sets: read where they lie, decoded on the fly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.datasets.base_det_dataset import BaseDetDataset
from mmdet.registry import DATASETS as DET_DATASETS
from mmdet.registry import TRANSFORMS as DET_TRANSFORMS
from mmseg.datasets.basesegdataset import BaseSegDataset
from mmseg.registry import DATASETS as SEG_DATASETS
from mmseg.registry import TRANSFORMS as SEG_TRANSFORMS

from tasks.contracts import Task
from tasks.datasets import IGNORE, MaskEncoding, Sample, TableInfo, read_image, read_mask
from tasks.retrain.nested import drawn_table
from tasks.translate import EfficientNetLite as EfficientNetLite  # a backbone: importing it registers it


def detection_metainfo(info: TableInfo) -> dict[str, Any]:
    """What mmdet wants to know of the classes."""
    return {"classes": info.detection}


def segmentation_metainfo(info: TableInfo) -> dict[str, Any]:
    """What mmseg wants to know of the classes."""
    return {"classes": tuple(c.name for c in info.classes), "palette": [list(c.color) for c in info.classes]}


@DET_DATASETS.register_module()
class TableDetDataset(BaseDetDataset):  # type: ignore[misc]
    """The boxes of a sample table, for mmdet. Crowds are marked as to be ignored.

    Args:
        table: folder of the sample table. images, seed: see ``drawn_table``.
    """

    def __init__(self, table: str, images: int | None = None, seed: int = 0, **kwargs: Any) -> None:
        self._table = drawn_table(Path(table), "boxes", images, seed)
        super().__init__(ann_file="", metainfo=detection_metainfo(self._table.info), **kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        return [_detection_item(index, sample) for index, sample in enumerate(self._table)]


def _detection_item(index: int, sample: Sample) -> dict[str, Any]:
    boxes = [
        {"bbox": [b.x1, b.y1, b.x2, b.y2], "bbox_label": b.category, "ignore_flag": int(b.crowd)}
        for b in sample.boxes or ()
    ]
    image = {"img_id": index, "img_path": str(sample.image), "height": sample.height, "width": sample.width}
    return {**image, "instances": boxes}


@SEG_DATASETS.register_module()
class TableSegDataset(BaseSegDataset):  # type: ignore[misc]
    """The label images of a sample table, for mmseg.

    Args:
        table: folder of the sample table. images, seed: see ``drawn_table``.
    """

    def __init__(self, table: str, images: int | None = None, seed: int = 0, **kwargs: Any) -> None:
        self._table = drawn_table(Path(table), "masks", images, seed)
        super().__init__(
            metainfo=segmentation_metainfo(self._table.info),
            ignore_index=IGNORE,
            reduce_zero_label=False,
            **kwargs,
        )

    def load_data_list(self) -> list[dict[str, Any]]:
        encoding = self._table.info.encoding
        return [
            {
                "img_path": str(sample.image),
                "seg_map_path": str(sample.mask),
                "encoding": encoding,
                "sample_index": index,
                "seg_fields": [],
                "reduce_zero_label": False,
                "label_map": None,
            }
            for index, sample in enumerate(self._table)
        ]


@DET_TRANSFORMS.register_module()
@SEG_TRANSFORMS.register_module()
class LoadTableImage(BaseTransform):  # type: ignore[misc]
    """Read a sample's image into ``img``, ``uint8 [H, W, 3]``, BGR as OpenMMLab has it; from a zip archive too."""

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        image = np.ascontiguousarray(read_image(Path(results["img_path"]))[..., ::-1])
        return {**results, "img": image, "img_shape": image.shape[:2], "ori_shape": image.shape[:2]}


@SEG_TRANSFORMS.register_module()
class LoadTableMask(BaseTransform):  # type: ignore[misc]
    """Decode a sample's label image into ``gt_seg_map``, ``uint8 [H, W]`` of class indices, 255 for ignore."""

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        encoding: MaskEncoding = results["encoding"]
        results["gt_seg_map"] = np.ascontiguousarray(read_mask(Path(results["seg_map_path"]), encoding))
        results["seg_fields"].append("gt_seg_map")
        return results


# By name in a configuration: importing this module is what registers them.
DATASETS: dict[Task, type[Any]] = {"detection": TableDetDataset, "segmentation": TableSegDataset}
