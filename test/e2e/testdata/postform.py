"""Uploads by signed forms, as a program with boto3 hands them to browsers."""
import os
import subprocess
import sys

import boto3
import urllib3
from botocore.config import Config

endpoint, bucket, prefix, scope, path = sys.argv[1:6]
s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1",
                  config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))
http = urllib3.PoolManager()


def send(form, name, data, after=None):
    fields = dict(form["fields"], file=(name, data), **(after or {}))
    return http.request("POST", form["url"], fields=fields, redirect=False)


def refused(answer, status, code):
    assert answer.status == status and f"<Code>{code}</Code>".encode() in answer.data, (answer.status, answer.data)


def stored(key):
    return s3.get_object(Bucket=bucket, Key=key)


form = s3.generate_presigned_post(bucket, prefix + "${filename}", ExpiresIn=60)
for name, data in ("small ü.bin", b"hello"), ("empty", b""), ("large", os.urandom(3_000_000)):
    answer = send(form, name, data)
    assert answer.status == 204 and answer.headers["ETag"], (answer.status, answer.data)
    assert stored(prefix + name)["Body"].read() == data
assert send(form, "button", b"hello", {"submit": "Upload"}).status == 204
refused(send(form, "..", b"x"), 400, "InvalidArgument")

fields = {"Content-Type": "image/png", "x-amz-meta-colour": "red", "success_action_status": "201"}
conditions = [["starts-with", "$Content-Type", "image/"], {"x-amz-meta-colour": "red"}, {"success_action_status": "201"},
              ["content-length-range", 1, 1000]]
form = s3.generate_presigned_post(bucket, prefix + "picture", Fields=fields, Conditions=conditions, ExpiresIn=60)
answer = send(form, "p.png", b"png")
assert answer.status == 201 and b"<PostResponse>" in answer.data and b"<Bucket>" + bucket.encode() in answer.data, answer.data
got = stored(prefix + "picture")
assert got["ContentType"] == "image/png" and got["Metadata"] == {"colour": "red"} and got["ETag"] == answer.headers["ETag"], got
refused(send(form, "p.png", b"x" * 1001), 400, "EntityTooLarge")
refused(send(form, "p.png", b""), 400, "EntityTooSmall")
for name, value in ("x-amz-meta-colour", "blue"), ("Content-Type", "text/html"), ("key", prefix + "other"), ("acl", "private"):
    refused(send({"url": form["url"], "fields": dict(form["fields"], **{name: value})}, "p.png", b"png"), 403, "AccessDenied")
assert stored(prefix + "picture")["Body"].read() == b"png"

if scope == "prefix":
    outside = s3.generate_presigned_post(bucket, "outside-of-it", ExpiresIn=60)
    refused(send(outside, "x", b"x"), 403, "AccessDenied")
late = s3.generate_presigned_post(bucket, prefix + "late", ExpiresIn=-1)
refused(send(late, "x", b"x"), 403, "AccessDenied")
old = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1",
                   config=Config(signature_version="s3", s3={"addressing_style": "path"}))
refused(send(old.generate_presigned_post(bucket, prefix + "old", ExpiresIn=60), "x", b"x"), 400, "InvalidRequest")

form = s3.generate_presigned_post(bucket, prefix + "by-curl/${filename}", ExpiresIn=60)
with open(path, "wb") as f:
    f.write(os.urandom(2_000_000))
command = ["curl", "-sS", "-o", os.devnull, "-w", "%{http_code}"]
for name, value in form["fields"].items():
    command += ["--form-string", f"{name}={value}"]
code = subprocess.run(command + ["-F", f"file=@{path}", form["url"]], check=True, capture_output=True, text=True).stdout
assert code == "204", code
with open(path, "rb") as f:
    assert stored(prefix + "by-curl/" + os.path.basename(path))["Body"].read() == f.read()
print("ok")
