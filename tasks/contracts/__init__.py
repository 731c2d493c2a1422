"""What the rooms say to each other: frozen models, without behaviour beyond parsing and printing."""

from typing import TYPE_CHECKING

from tasks import face

if TYPE_CHECKING:
    from tasks.contracts.arm import Arm
    from tasks.contracts.artifact import Artifact
    from tasks.contracts.audit import (
        Acted,
        Audit,
        ClassFlips,
        ClassGap,
        Detail,
        Distance,
        Domain,
        DomainMap,
        Flips,
        Gap,
        MapPoint,
        Rate,
        Recall,
    )
    from tasks.contracts.audit_check import (
        DETAIL_PARTS,
        AuditCheck,
        BoxSize,
        DetailPart,
        Measure,
        Severity,
        Subject,
        Unit,
    )
    from tasks.contracts.audit_files import (
        AUDIT_FLIPS,
        AUDIT_FLIPS_SCHEMA,
        AUDIT_IMAGES,
        AUDIT_IMAGES_SCHEMA,
    )
    from tasks.contracts.check import Check, CheckExample, Checks
    from tasks.contracts.comparison import (
        ArmDifference,
        ArmScores,
        ClusterKind,
        ClusterReason,
        Clusters,
        Comparison,
        Difference,
        MadeWith,
        Missing,
        Needs,
        Note,
        Outcome,
        Slice,
        SliceKind,
        SliceScore,
        TaskComparison,
    )
    from tasks.contracts.dataset_counts import BoxCounts, DatasetCounts, ImageCounts
    from tasks.contracts.drawing import Drawing, Member, Phase
    from tasks.contracts.efficiency import Efficiency, EfficiencyCurve, EfficiencyPoint, Saving
    from tasks.contracts.estimate import Estimate
    from tasks.contracts.filed import Filed, first_problem
    from tasks.contracts.finding import Finding, Value
    from tasks.contracts.frozen import Frozen
    from tasks.contracts.model_card import RANDOM_WEIGHTS, InitialWeights, LossCurve, LossPoint, ModelCard, TrainSet
    from tasks.contracts.model_config import ModelConfig, check_parts
    from tasks.contracts.names import readable
    from tasks.contracts.pseudo_labels import PseudoClass, PseudoLabels
    from tasks.contracts.record import Failure, Result, RunRecord
    from tasks.contracts.scores import ClassScore, Scores
    from tasks.contracts.section import Section
    from tasks.contracts.stage import DatasetRole, Stage, StageKind
    from tasks.contracts.task import TASKS, Labels, Task, TaskDescription
    from tasks.contracts.translator_card import KeptStep, TranslatorCard, Validated
else:
    __all__, __getattr__ = face(__name__, __file__)
