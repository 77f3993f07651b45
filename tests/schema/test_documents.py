from __future__ import annotations

import gc

from schema.documents import Documents
from schema.root import schema
from tests.conftest import BASE

TEXT = "query Zero($id: ID!) { application(id: $id) { ...F } } fragment F on Application { id }"


def test_a_document_that_is_kept_no_longer_is_freed_at_once() -> None:
    documents = Documents()
    documents.read(TEXT, schema._schema, BASE)
    gc.collect()  # what reading it has left
    gc.disable()

    del documents

    try:
        assert gc.collect() == 0
    finally:
        gc.enable()
