"""The thread that reads the keeper's sockets."""

from typing import Any, cast

from backends.keeper.post import Post
from tests.keeper.parts import endpoint


def test_one_that_nobody_writes_to_ends_when_it_is_told_to() -> None:
    nobody = cast("Any", None)
    post = Post((endpoint(),), nobody, nobody, nobody)
    post.start()

    post.close()

    assert not post.is_alive()
