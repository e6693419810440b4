"""What every document has."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from canonical.scalars import Attributes, DocumentId
from canonical.values import Source, Value


class DocumentBase(Value):
    """`id` is ours; `attributes` carries what an operator maps on top.

    Subclasses add `type`, the discriminator, and name their personal fields, which must be their
    last ones (see `canonical.personal`).
    """

    PERSONAL: ClassVar[tuple[str, ...]] = ()

    type: str
    id: DocumentId
    source: Source
    attributes: Attributes = Field(default_factory=dict)
