"""Scores on the benchmark, the evidence behind them, and the comparison of arms with intervals."""

from typing import TYPE_CHECKING

from tasks import face

if TYPE_CHECKING:
    from tasks.evaluate.comparison import compare_arms
    from tasks.evaluate.config import EvaluateConfig
    from tasks.evaluate.differences import Measured, judged_classes, judged_metric
    from tasks.evaluate.errors import EvidenceError
    from tasks.evaluate.evidence import (
        DetectionEvidence,
        SegmentationEvidence,
        check_comparable,
        matched,
    )
    from tasks.evaluate.features import FEATURES, read_features
    from tasks.evaluate.images import ImageFacts
    from tasks.evaluate.make_comparison import build_comparison, comparison_recipe
    from tasks.evaluate.make_evaluation import build_evaluation, classes_left_out, evaluation_recipe
    from tasks.evaluate.make_pseudo_labels import build_pseudo_labels, pseudo_labels_recipe
    from tasks.evaluate.preflight import scoring_problems
    from tasks.evaluate.resampling import LEAST_IMAGES, Cluster
    from tasks.evaluate.scoreboard import Quantity, Scored, read_scores, resample, score_models
    from tasks.evaluate.statistics import average_precision, benjamini_hochberg, image_weights, interval, iou, mean_over
else:
    __all__, __getattr__ = face(__name__, __file__)
