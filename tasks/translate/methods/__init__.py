"""Translation methods, one module each, named as ``method`` in the configuration.

Every module has ``load(config, resources) -> ImageTranslator``; a learned method's module also has
``build(config, rng) -> Learner`` and the text ``PAPER``.

To add a method: its section under ``tasks.translate.sections``, which ``tasks.translate.config`` lists, its module
here, a YAML file.
"""
