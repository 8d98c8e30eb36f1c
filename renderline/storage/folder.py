"""A folder of any fsspec storage, in which files appear whole or not at all."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple, cast
from urllib.parse import quote, unquote

import fsspec

from renderline.storage.filesystem import open_filesystem
from renderline.storage.local_place import LocalPlace
from renderline.storage.remote_place import RemotePlace

# Stores whose URL names a bucket, not a host. The worker's own rights decide what it may write there.
_BUCKET_STORES = frozenset({"s3", "s3a", "gs", "gcs", "az", "memory"})

_NAMES = 20
"""How many names are tried for one file."""

Claim = Callable[[str, bool], bool]
"""Called with a file's URL and whether it exists; says whether the caller may write it."""

_GLOB = re.compile(r"[*?\[\]]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Folder:
    """A folder for files, named by a URL such as `file:///videos` or `s3://bucket/prefix`."""

    def __init__(self, url: str) -> None:
        """Read the URL; raises ValueError saying what is wrong with it. Opens nothing yet.

        A `file:` URL is percent-decoded, as RFC 8089 has it; the others are not, since object keys are literal.
        """
        scheme, separator, rest = url.partition("://")
        self.scheme = "file" if scheme == "local" else scheme
        self._password = ""
        self._url_with_credentials = f"{scheme}://{rest.rstrip('/')}"
        if not separator or not re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme) or "::" in url:
            raise ValueError("must be a URL such as file:///videos or s3://bucket/prefix")
        if self.scheme == "file":
            host, slash, path = unquote(rest).partition("/")
            if host not in ("", "localhost") or not slash:
                raise ValueError("must be an absolute file URL such as file:///videos")
            self._root = "/" + path.strip("/")
            self.url = "file://" + quote(self._root).rstrip("/")
        else:
            path = rest
            if _GLOB.search(rest):
                raise ValueError("must not hold * ? [ or ]")
            self._root = url.rstrip("/")
            # The URL that is logged and recorded has no credentials, unlike sftp://user:password@host.
            authority, slash, beyond = rest.partition("/")
            credentials, _, host = authority.rpartition("@")
            self._password = credentials.partition(":")[2]
            self.url = f"{scheme}://{host}{slash}{beyond}".rstrip("/")
        if any(part in (".", "..") for part in path.split("/")) or _CONTROL.search(path):
            raise ValueError("must not hold . or .. as parts, nor control characters")
        try:
            fsspec.get_filesystem_class(self.scheme)
        except (ImportError, ValueError) as error:
            raise ValueError(f"the storage {scheme}:// cannot be used here: {error}") from None

    def holds(self, other: Folder) -> bool:
        """Return whether a request may use the other folder instead of this one.

        In an object store it may use any bucket: the worker's own rights are the limit. Anywhere else it may only use
        folders below this one: a request must not choose what a worker overwrites or which host it calls.
        """
        if other.scheme != self.scheme:
            return False
        return self.is_bucket_store or self.encloses(other.url)

    def encloses(self, url: str, *, any_case: bool = False) -> bool:
        """Return whether a URL that `url_of` gave is this folder, or in it. A disk may take any case of a letter."""
        own, other = (re.sub("/+", "/", f"{one}/") for one in (self.url, url))
        if any_case and self.scheme == "file":
            own, other = own.casefold(), other.casefold()
        return other.startswith(own)

    @property
    def is_bucket_store(self) -> bool:
        """Whether this is in an object store, where a URL chooses a bucket and never a host."""
        return self.scheme in _BUCKET_STORES

    def url_of(self, name: str) -> str:
        """Return the URL under which a file of this folder is recorded."""
        return f"{self.url}/{quote(name) if self.scheme == 'file' else name}"

    def describe(self, error: Exception) -> str:
        """Return the error of the storage's own library in short, without the storage's password."""
        text = f"{type(error).__name__}: {error}"
        if self.scheme in ("s3", "s3a"):
            text = f"{text[:200]} (AWS_ENDPOINT_URL and the AWS credentials say where and as whom)"
        return (text.replace(self._password, "***") if self._password else text)[:300]

    def below(self, name: str) -> Folder:
        """Return the folder `name` (its parts joined by slashes) of this one."""
        return Folder(f"{self._url_with_credentials}/{quote(name) if self.scheme == 'file' else name}")

    @contextlib.contextmanager
    def storing(self, name: str, *, claim: Claim, suffix: str, root: Folder | None = None) -> Iterator[NewFile]:
        """Yield a partial file to write to. When the block ends it gets `name`, or a name like it that is free.

        `claim` says of each name whether it may be used; the next one has `-<suffix>` before its ending. `stored_url`
        of the file is where it is then. If the block raises, the partial file is removed, and every earlier file stays
        as it was. A killed worker leaves its partial file, `.{name}.{16 hex digits}.part`. Nobody reads it and anybody
        may delete it; on a disk the next download into the folder does. Each partial file has a name of its own, so two
        writers of one file never mix. On a disk, nothing below `root` (this folder, unless given) may be a link.
        """
        folder, _, leaf = name.rpartition("/")
        with self._place(folder, root or self) as place, _partial(place, leaf) as (partial, file):
            yield file
            partial.finish()
            file.stored_url = self.url_of(f"{folder}/{self._named(place, partial, name, claim, suffix)}".lstrip("/"))
            partial.close()

    @contextlib.contextmanager
    def adding(self, *, root: Folder | None = None) -> Iterator[NewFile]:
        """Yield a partial file to write to. When the block ends it gets the `name` that the block has set.

        It replaces a file of that name. If the block raises, or sets no name, the partial file is removed. Otherwise as
        `storing`.
        """
        with self._place("", root or self) as place, _partial(place, "new") as (partial, file):
            yield file
            partial.finish()
            if not file.name:
                raise ValueError("a new file needs a name")
            place.put(partial, file.name, replace=True)
            file.stored_url = self.url_of(file.name)
            partial.close()

    def reading(self, name: str, *, root: Folder | None = None) -> BinaryIO:
        """Open a file of this folder for reading; raises FileNotFoundError. On a disk no link below `root` is
        followed.
        """
        place = self._place("", root or self, make=False)
        with place:
            return cast(BinaryIO, place.open(name))

    def stored(self, url: str) -> StoredFile:
        """Open the file that `url_of` gave this URL, for reading; raises FileNotFoundError if it is not in this folder.

        Raises OSError if it cannot be read, as where a part of its path is a link on a disk.
        """
        name = url[len(self.url) + 1 :] if self.encloses(url) else ""
        name = unquote(name) if self.scheme == "file" else name
        folder, _, leaf = name.strip("/").rpartition("/")
        if leaf in ("", ".", "..") or _CONTROL.search(leaf):
            raise FileNotFoundError("no file of this storage")
        try:
            place = (self.below(folder) if folder else self)._place("", self, make=False)
        except ValueError:
            raise FileNotFoundError("no file of this storage") from None
        with place:
            return StoredFile(*place.open_whole(leaf))

    def exists(self, name: str, *, root: Folder | None = None) -> bool:
        """Return whether this folder has a file of that name."""
        try:
            with self._place("", root or self, make=False) as place:
                return bool(place.exists(name))
        except FileNotFoundError:
            return False

    def files(self, *, root: Folder | None = None) -> list[tuple[str, float]]:
        """Return the files of this folder, whole ones alone, with the time of their last change."""
        try:
            with self._place("", root or self, make=False) as place:
                return list(place.files())
        except FileNotFoundError:
            return []

    def folders(self) -> list[str]:
        """Return the names of the folders in this one."""
        try:
            with self._place("", self, make=False) as place:
                return sorted(place.folders())
        except FileNotFoundError:
            return []

    def remove(self, name: str, *, root: Folder | None = None) -> None:
        """Remove a file of this folder, if it is there."""
        with contextlib.suppress(FileNotFoundError), self._place("", root or self, make=False) as place:
            place.remove(name)

    def _named(self, place: Any, partial: Any, name: str, claim: Claim, suffix: str) -> str:
        """Give the partial file the first name that is free or its own, and return that."""
        folder, slash, leaf = name.rpartition("/")
        for candidate in _names(leaf, suffix):
            # Looked at before it is claimed: a claim of a name that nobody had makes it this render's own.
            for replace in (place.exists(candidate), True):
                if not claim(self.url_of(f"{folder}{slash}{candidate}"), replace):
                    break
                if place.put(partial, candidate, replace=replace):
                    return candidate
                # Taken since then. By the same render, perhaps: the claim is asked again.
        raise FileExistsError(f"{leaf} and {_NAMES - 1} names like it belong to other renders")

    def _place(self, name: str, root: Folder, *, make: bool = True) -> Any:
        # Opened when it is used, not at start: some storages keep threads, which a fork loses.
        if self.scheme == "file":
            parts = [part for part in f"{self._root[len(root._root) :]}/{name}".split("/") if part]
            return LocalPlace(root._root, parts, make=make)
        filesystem, path = open_filesystem(self._root)
        return RemotePlace(filesystem, f"{path.rstrip('/')}/{name}".rstrip("/"))


class StoredFile(NamedTuple):
    """A file that is open for reading, at any place of it."""

    file: BinaryIO
    size: int
    version: str
    """Changes with the file: by its size and the time of its last change, or what else the storage tells."""


class NewFile:
    """A file that is being stored, and where it is in the end."""

    def __init__(self, partial: Any) -> None:
        self.write: Callable[[bytes], None] = partial.write
        self.name = ""
        """The name that it is to get, where the writer chooses it last."""
        self.stored_url = ""
        self._partial = partial

    @property
    def written(self) -> int:
        """How many bytes were written."""
        return int(self._partial.written)


@contextlib.contextmanager
def _partial(place: Any, leaf: str) -> Iterator[tuple[Any, NewFile]]:
    """Yield a new partial file; if the block raises, it is removed."""
    partial = place.create(leaf)
    try:
        yield partial, NewFile(partial)
    except BaseException:
        for clean in (partial.close, partial.remove):
            with contextlib.suppress(Exception):
                clean()
        raise


def _names(leaf: str, suffix: str) -> Iterator[str]:
    """Yield the names that a file may get, best first. A name that has the suffix already gets a number."""
    stem, dot, ending = leaf.rpartition(".")
    if not dot:
        stem, ending = leaf, ""
    yield leaf
    own = stem if suffix in stem else f"{stem}-{suffix}"
    if own != stem:
        yield f"{own}{dot}{ending}"
    for number in range(2, _NAMES):
        yield f"{own}-{number}{dot}{ending}"
