"""Does with boto3 what it reads, one call a line, and writes what came of it."""
import json
import os
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, MissingDependencyException, ParamValidationError

endpoint, region = sys.argv[1:3]
s3 = boto3.client("s3", endpoint_url=endpoint, region_name=region)
# Presigned URLs need the one setting that the documentation names.
signer = boto3.client("s3", endpoint_url=endpoint, region_name=region, config=Config(signature_version="s3v4"))


class Pipe:
    """A file that cannot be rewound and does not tell its size."""

    def __init__(self, file):
        self.file = file

    def read(self, size=-1):
        return self.file.read(size)


def described(answer, call):
    kind = call.get("checksum")
    return {
        "size": answer.get("ContentLength", answer.get("ObjectSize", 0)), "etag": answer.get("ETag", ""),
        "content_type": answer.get("ContentType", ""), "metadata": answer.get("Metadata"),
        "version": answer.get("VersionId", ""), "checksum": answer.get("Checksum" + kind, "") if kind else "",
    }


def named(call):
    args = {"Bucket": call["bucket"], "Key": call["key"]}
    if "version" in call:
        args["VersionId"] = call["version"]
    return args


def put(call):
    args = named(call)
    for ours, theirs in (("checksum", "ChecksumAlgorithm"), ("content_md5", "ContentMD5"), ("if_match", "IfMatch"),
                         ("if_none_match", "IfNoneMatch"), ("content_type", "ContentType"), ("metadata", "Metadata")):
        if ours in call:
            args[theirs] = call[ours]
    with open(call["path"], "rb") as body:
        return described(s3.put_object(Body=body, **args), call)


def get(call):
    args = named(call)
    if "range" in call:
        args["Range"] = call["range"]
    answer = s3.get_object(**args)
    with open(call["path"], "wb") as file:
        for chunk in answer["Body"].iter_chunks(1 << 20):
            file.write(chunk)
    return described(answer, call)


def head(call):
    return described(s3.head_object(ChecksumMode="ENABLED", **named(call)), call)


def upload(call):
    extra = {"ChecksumAlgorithm": call["checksum"]} if "checksum" in call else None
    s3.upload_file(call["path"], call["bucket"], call["key"], ExtraArgs=extra)


def stream(call):
    with open(call["path"], "rb") as file:
        s3.upload_fileobj(Pipe(file), call["bucket"], call["key"])


def download(call):
    s3.download_file(call["bucket"], call["key"], call["path"])


def listed(call):
    keys, prefixes = [], []
    args = {"Bucket": call["bucket"], "Prefix": call.get("prefix", ""), "Delimiter": call.get("delimiter", "")}
    for page in s3.get_paginator("list_objects_v2").paginate(**args):
        keys += [o["Key"] for o in page.get("Contents", [])]
        prefixes += [p["Prefix"] for p in page.get("CommonPrefixes", [])]
    return {"keys": keys, "prefixes": prefixes}


def copy(call):
    s3.copy({"Bucket": call["bucket"], "Key": call["source"]}, call["bucket"], call["key"])


def delete(call):
    return described(s3.delete_object(**named(call)), call)


def delete_many(call):
    answer = s3.delete_objects(Bucket=call["bucket"], Delete={"Objects": [{"Key": k} for k in call["keys"]]})
    for error in answer.get("Errors", []):
        raise ClientError({"Error": error}, "DeleteObjects")
    return {"keys": [d["Key"] for d in answer.get("Deleted", [])]}


def sync_up(call):
    for folder, _, files in os.walk(call["path"]):
        for name in files:
            path = os.path.join(folder, name)
            s3.upload_file(path, call["bucket"], call["prefix"] + os.path.relpath(path, call["path"]))


def sync_down(call):
    for key in listed(call)["keys"]:
        path = os.path.join(call["path"], key[len(call["prefix"]):])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        s3.download_file(call["bucket"], key, path)


def presign(call):
    name = {"GET": "get_object", "PUT": "put_object", "HEAD": "head_object"}[call["method"]]
    return {"url": signer.generate_presigned_url(name, Params=named(call), ExpiresIn=300)}


def set_tags(call):
    s3.put_object_tagging(Tagging={"TagSet": [{"Key": k, "Value": v} for k, v in call["tags"].items()]}, **named(call))


def get_tags(call):
    return {"tags": {t["Key"]: t["Value"] for t in s3.get_object_tagging(**named(call))["TagSet"]}}


def versions(call):
    found = []
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=call["bucket"], Prefix=call["key"]):
        found += [v["VersionId"] for v in page.get("Versions", []) + page.get("DeleteMarkers", [])]
    return {"versions": found}


def attributes(call):
    return described(s3.get_object_attributes(ObjectAttributes=["ObjectSize", "ETag"], **named(call)), call)


ops = {
    "put": put, "get": get, "head": head, "upload": upload, "stream": stream, "download": download, "list": listed,
    "copy": copy, "delete": delete, "delete-many": delete_many, "sync-up": sync_up, "sync-down": sync_down,
    "presign": presign, "set-tags": set_tags, "get-tags": get_tags, "versions": versions, "attributes": attributes,
}

for line in sys.stdin:
    call = json.loads(line)
    try:
        answer = ops[call["op"]](call) or {}
    except (ParamValidationError, MissingDependencyException) as e:
        answer = {"cannot": True, "error": str(e)}
    except ClientError as e:
        answer = {"code": e.response["Error"]["Code"] or "?", "error": str(e)}
    except Exception as e:
        # A release that does not know a checksum says so in its own ways.
        unknown = "checksum" in call and ("Unsupported" in str(e) or "awscrt" in str(e))
        answer = {"cannot": unknown, "error": f"{type(e).__name__}: {e}"}
    print(json.dumps(answer), flush=True)
