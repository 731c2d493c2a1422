"""Translators: methods, networks, the training loop, and their application to a data set."""

from typing import TYPE_CHECKING

from tasks import face

if TYPE_CHECKING:
    from tasks.translate.apply import translate_table
    from tasks.translate.config import TranslateConfig, Translator
    from tasks.translate.errors import WeightsError
    from tasks.translate.export import ExportError, export_onnx
    from tasks.translate.make_translated import build_translated, translated_recipe
    from tasks.translate.make_translator import TrainedJudge, build_translator, translator_recipe
    from tasks.translate.networks.efficientnet_lite import EfficientNetLite
    from tasks.translate.networks.features import build_features
    from tasks.translate.networks.imagenet import IMAGENET_SHA256, imagenet_weights, own_names
    from tasks.translate.networks.initial import initialise
    from tasks.translate.networks.pooled import pooled_efficientnet, resized
    from tasks.translate.networks.resnet import MULTIPLE, ResnetGenerator
    from tasks.translate.networks.whole_image import (
        WholeImageTranslator,
        to_tensor,
        translate_padded,
    )
    from tasks.translate.outside.preflight import source_problems
    from tasks.translate.outside.program import told_program
    from tasks.translate.preflight import (
        size_problems,
        translator_problems,
        validation_problems,
        wants_judge,
    )
    from tasks.translate.published.converting import convert_weights
    from tasks.translate.published.importing import import_generator
    from tasks.translate.sections.command import OutsideCommand
    from tasks.translate.sections.features import Features
    from tasks.translate.sections.identity import Identity
    from tasks.translate.sections.learned import MINIMUM, Learned
    from tasks.translate.sections.outside import OUTSIDE
    from tasks.translate.sections.reinhard import Reinhard
else:
    __all__, __getattr__ = face(__name__, __file__)
