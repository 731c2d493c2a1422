"""The base of what travels between rooms."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A model that nobody changes once it is made."""

    model_config = ConfigDict(frozen=True)
