"""Every stage's output, by digest: built in a temporary folder, described, published by one rename."""

from typing import TYPE_CHECKING

from tasks import face

if TYPE_CHECKING:
    from tasks.store.code import code_version
    from tasks.store.digest import content_digest, file_sha256, known_sha256
    from tasks.store.environment import describe_environment
    from tasks.store.files import PARTIAL, atomic_path, write_json, write_png
    from tasks.store.gc import collect, delete
    from tasks.store.manifest import MANIFEST, Manifest, StoreError, damage, damage_error
    from tasks.store.places import place_of, remember_place, store_of
    from tasks.store.recipe import Recipe
    from tasks.store.store import Store
    from tasks.store.surroundings import decisive
    from tasks.store.swap import replace_folder
    from tasks.store.weights import UnreadableWeights, read_weights, tensors_of
else:
    __all__, __getattr__ = face(__name__, __file__)
