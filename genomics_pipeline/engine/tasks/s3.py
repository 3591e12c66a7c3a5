"""``aws-sdk:s3``: operations on objects, with the members of S3's API."""

from __future__ import annotations

import asyncio
import base64
import zlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from urllib.parse import unquote

from genomics_pipeline.engine.execution import TaskContext, TaskHandler
from genomics_pipeline.engine.tasks.aws_response import require_arguments, sdk_cause
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.model import quotas
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.stores.protocol import MissingBucket, MissingObject, ObjectInfo, Store

S3 = "arn:aws:states:::aws-sdk:s3:"
_TEXT = "text/plain; charset=UTF-8"  # ContentType of objects that putObject wrote
_ITSELF = (
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's "
    "metadata, storage class, website redirect location or encryption attributes."
)
_ENCRYPTION = {"ServerSideEncryption": "AES256"}
_IGNORED = frozenset({"ChecksumMode", "ContentType", "ExpectedBucketOwner", "Metadata", "MetadataDirective"})


class S3Tasks:
    """The handler of ``arn:aws:states:::aws-sdk:s3:*`` for the operations listed in its constructor."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._operations: dict[str, tuple[Callable[[Any], Any], frozenset[str]]] = {
            "getObject": (self._get, frozenset()),
            "headObject": (self._head, frozenset()),
            "putObject": (self._put, frozenset({"Body"})),
            "copyObject": (self._copy, frozenset({"CopySource"})),
            "deleteObject": (self._delete, frozenset()),
            "listObjectsV2": (
                self._list,
                frozenset({"Prefix", "Delimiter", "MaxKeys", "StartAfter", "ContinuationToken", "FetchOwner"}),
            ),
        }

    def handlers(self) -> dict[str, TaskHandler]:
        """Return this handler under the resource of each operation."""
        return dict.fromkeys((S3 + name for name in self._operations), self)

    async def __call__(self, arguments: Any, context: TaskContext) -> Any:
        """Perform the operation that the resource's last part names.

        Returns:
            The operation's response, as the SDK returns it.

        Raises:
            StatesError: ``S3.NoSuchKeyException``, ``S3.NoSuchBucketException``; ``S3.S3Exception`` for any other
                failure, and for arguments that are not supported here.
        """
        name = context.resource.rsplit(":", 1)[-1]
        operation, known = self._operations[name]
        for argument, value in arguments.items():
            if argument not in known | {"Bucket", "Key"} | _IGNORED and value is not None:
                raise StatesError("S3.S3Exception", f"{name}: the argument {argument!r} is not supported here")
        try:
            return await asyncio.to_thread(operation, arguments)
        except MissingBucket as error:
            cause = sdk_cause("The specified bucket does not exist", "S3", 404)
            raise StatesError("S3.NoSuchBucketException", cause) from error
        except MissingObject as error:
            # The response to HEAD has no body and therefore no message.
            message = "null" if name == "headObject" else "The specified key does not exist."
            raise StatesError("S3.NoSuchKeyException", sdk_cause(message, "S3", 404)) from error
        except DataError as error:
            raise StatesError("S3.S3Exception", str(error)) from error

    def _get(self, arguments: Any) -> dict[str, Any]:
        uri = _uri(arguments)
        data = self._store.read(uri)
        return {**self._metadata(uri, len(data)), "Body": data.decode(errors="replace")}

    def _head(self, arguments: Any) -> dict[str, Any]:
        return self._metadata(_uri(arguments))

    def _put(self, arguments: Any) -> dict[str, Any]:
        uri = _uri(arguments)
        # The JSON text of the body is stored, whatever JSON value it is: a string with its quotes, null as null.
        data = compact(arguments["Body"]).encode() if "Body" in arguments else b""
        self._store.write(uri, data)
        checksum = base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()
        return {"ChecksumCRC32": checksum, "ChecksumType": "FULL_OBJECT", "ETag": self._etag(uri), **_ENCRYPTION}

    def _copy(self, arguments: Any) -> dict[str, Any]:
        uri = _uri(arguments)
        (copy_source,) = require_arguments(arguments, "CopySource")
        source = f"s3://{unquote(str(copy_source)).removeprefix('/')}"
        if source == uri and arguments.get("MetadataDirective") != "REPLACE":
            raise StatesError("S3.S3Exception", sdk_cause(_ITSELF, "S3", 400))
        if source != uri:
            self._store.copy(source, uri)
        info = self._info(uri)
        return {"CopyObjectResult": {"ETag": _etag(info), "LastModified": _last_modified(info)}, **_ENCRYPTION}

    def _delete(self, arguments: Any) -> dict[str, Any]:
        self._store.delete(_uri(arguments))
        return {}

    def _list(self, arguments: Any) -> dict[str, Any]:
        (bucket,) = require_arguments(arguments, "Bucket")
        prefix, delimiter = arguments.get("Prefix") or "", arguments.get("Delimiter")
        after = arguments.get("ContinuationToken") or arguments.get("StartAfter") or ""
        max_keys = min(int(arguments.get("MaxKeys", quotas.LIST_KEYS.value)), quotas.LIST_KEYS.value)
        root = f"s3://{bucket}/"
        infos = self._store.list(root + prefix)
        # One entry more than returned shows whether the list is truncated.
        entries = list(islice(_entries(infos, root, prefix, delimiter, after), max_keys + 1))
        truncated, entries = len(entries) > max_keys, entries[:max_keys]
        contents = [_content(entry, root) for entry in entries if isinstance(entry, ObjectInfo)]
        prefixes = [{"Prefix": entry} for entry in entries if isinstance(entry, str)]
        response = {
            "CommonPrefixes": prefixes,
            "Contents": contents,
            "ContinuationToken": arguments.get("ContinuationToken"),
            "Delimiter": delimiter,
            "IsTruncated": truncated,
            "KeyCount": len(entries),
            "MaxKeys": max_keys,
            "Name": bucket,
            "NextContinuationToken": _name(entries[-1], root) if truncated and entries else None,
            "Prefix": prefix,
            "StartAfter": arguments.get("StartAfter"),
        }
        return {name: value for name, value in response.items() if value not in ([], None)}

    def _metadata(self, uri: str, size: int | None = None) -> dict[str, Any]:
        info = self._info(uri)
        return {
            "AcceptRanges": "bytes",
            "ContentLength": info.size_bytes if size is None else size,
            "ContentType": _TEXT,
            "ETag": _etag(info),
            "LastModified": _last_modified(info),
            "Metadata": {},
            **_ENCRYPTION,
        }

    def _etag(self, uri: str) -> str:
        return _etag(self._info(uri))

    def _info(self, uri: str) -> ObjectInfo:
        info = self._store.stat(uri)
        if info is None:
            raise MissingObject(uri)
        return info


def _uri(arguments: Any) -> str:
    bucket, key = require_arguments(arguments, "Bucket", "Key")
    return f"s3://{bucket}/{key}"


def _etag(info: ObjectInfo) -> str:
    return f'"{info.version}"'


def _last_modified(info: ObjectInfo) -> str:
    """Return the time of the last write in the SDK's format, in whole seconds."""
    return datetime.fromtimestamp(info.modified, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _content(info: ObjectInfo, root: str) -> dict[str, Any]:
    return {
        "ETag": _etag(info),
        "Key": _name(info, root),
        "LastModified": _last_modified(info),
        "Size": info.size_bytes,
        "StorageClass": info.storage_class,
    }


def _name(entry: ObjectInfo | str, root: str) -> str:
    return entry if isinstance(entry, str) else entry.uri.removeprefix(root)


def _entries(
    infos: Iterable[ObjectInfo], root: str, prefix: str, delimiter: str | None, after: str
) -> Iterable[ObjectInfo | str]:
    """Yield objects and common prefixes, each prefix once, in the order of their names.

    Args:
        infos: The objects whose keys begin with `prefix`, in the order of their keys.
        root: The bucket's URI, with a slash at its end.
        prefix: ``Prefix``.
        delimiter: ``Delimiter``; None for no common prefixes.
        after: The name after which the entries start.
    """
    last = None
    for info in infos:
        key = info.uri.removeprefix(root)
        rest = key[len(prefix) :]
        if delimiter and delimiter in rest:
            common = prefix + rest.split(delimiter)[0] + delimiter
            if common != last and common > after:
                last = common
                yield common
        elif key > after:
            yield info
