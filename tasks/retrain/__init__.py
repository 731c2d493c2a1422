"""Detection and segmentation networks, trained on what each arm of the comparison names."""

from typing import TYPE_CHECKING

from tasks import face

if TYPE_CHECKING:
    from tasks.retrain.checkpoints import CHECKPOINT, load_checkpoint
    from tasks.retrain.class_weights import weighted
    from tasks.retrain.config import RetrainConfig, SelfTrainingConfig
    from tasks.retrain.data import DATASETS
    from tasks.retrain.make_model import build_model, model_recipe
    from tasks.retrain.preflight import few_images, loader_problems, retrain_problems
    from tasks.retrain.sizes import size_after
    from tasks.retrain.suitable import TrainingError, check_images
else:
    __all__, __getattr__ = face(__name__, __file__)
