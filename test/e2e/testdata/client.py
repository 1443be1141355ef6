"""Uses the gateway as a program with boto3 does and checks every answer."""
import hashlib
import io
import os
import socket
import sys
import urllib.error
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

endpoint, bucket, prefix, scope, style = sys.argv[1:6]
resolve = socket.getaddrinfo
# Not every resolver knows that all of localhost is this machine (RFC 6761).
socket.getaddrinfo = lambda host, *args, **kw: resolve("127.0.0.1" if str(host).endswith(".localhost") else host, *args, **kw)
s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1",
                  config=Config(signature_version="s3v4", s3={"addressing_style": style}, retries={"max_attempts": 1}))


def refused(code, call, **args):
    try:
        call(**args)
    except ClientError as e:
        assert e.response["Error"]["Code"] == code, e
        assert e.response["ResponseMetadata"]["HTTPHeaders"]["x-amz-request-id"], e
        return
    raise AssertionError(f"{call} was not refused with {code}")


def key(name):
    return prefix + name


body = os.urandom(100_000)
put = s3.put_object(Bucket=bucket, Key=key("a b+c&ü.bin"), Body=body, ContentType="application/x-test",
                    CacheControl="no-cache", Metadata={"colour-name": "red"})
assert put["ETag"] == '"' + hashlib.md5(body).hexdigest() + '"', put
got = s3.get_object(Bucket=bucket, Key=key("a b+c&ü.bin"))
assert got["Body"].read() == body
assert got["ContentType"] == "application/x-test" and got["CacheControl"] == "no-cache"
assert got["Metadata"] == {"colour-name": "red"}, got["Metadata"]
assert s3.get_object(Bucket=bucket, Key=key("a b+c&ü.bin"), Range="bytes=10-19")["Body"].read() == body[10:20]
head = s3.head_object(Bucket=bucket, Key=key("a b+c&ü.bin"))
assert head["ContentLength"] == len(body)
refused("304", s3.get_object, Bucket=bucket, Key=key("a b+c&ü.bin"), IfNoneMatch=put["ETag"])
refused("PreconditionFailed", s3.get_object, Bucket=bucket, Key=key("a b+c&ü.bin"), IfMatch='"0"')
refused("NoSuchKey", s3.get_object, Bucket=bucket, Key=key("nothing"))
refused("404", s3.head_object, Bucket=bucket, Key=key("nothing"))

for algorithm in ("CRC32", "CRC32C", "SHA1", "SHA256"):
    try:
        s3.put_object(Bucket=bucket, Key=key("sum"), Body=b"sum", ChecksumAlgorithm=algorithm)
    except Exception as e:  # CRC32C needs an optional module in the client
        if "awscrt" not in str(e) and "crt" not in str(e).lower():
            raise
refused("BadDigest", s3.put_object, Bucket=bucket, Key=key("bad"), Body=b"x",
        ContentMD5="AAAAAAAAAAAAAAAAAAAAAA==")

s3.copy_object(Bucket=bucket, Key=key("copy"), CopySource={"Bucket": bucket, "Key": key("a b+c&ü.bin")})
assert s3.get_object(Bucket=bucket, Key=key("copy"))["Body"].read() == body
s3.put_object_tagging(Bucket=bucket, Key=key("copy"), Tagging={"TagSet": [{"Key": "team", "Value": "a+b"}]})
assert s3.get_object_tagging(Bucket=bucket, Key=key("copy"))["TagSet"] == [{"Key": "team", "Value": "a+b"}]
s3.delete_object_tagging(Bucket=bucket, Key=key("copy"))
attributes = s3.get_object_attributes(Bucket=bucket, Key=key("copy"), ObjectAttributes=["ObjectSize", "ETag"])
assert attributes["ObjectSize"] == len(body), attributes

upload = s3.create_multipart_upload(Bucket=bucket, Key=key("parts"))
assert upload["Bucket"] == bucket, upload
parts, sent = [], b""
for number in (1, 2):
    data = os.urandom(5 << 20)
    sent += data
    part = s3.upload_part(Bucket=bucket, Key=key("parts"), UploadId=upload["UploadId"], PartNumber=number, Body=data)
    parts.append({"PartNumber": number, "ETag": part["ETag"]})
copied = s3.upload_part_copy(Bucket=bucket, Key=key("parts"), UploadId=upload["UploadId"], PartNumber=3,
                             CopySource={"Bucket": bucket, "Key": key("copy")})
parts.append({"PartNumber": 3, "ETag": copied["CopyPartResult"]["ETag"]})
listed = s3.list_parts(Bucket=bucket, Key=key("parts"), UploadId=upload["UploadId"])
assert listed["Bucket"] == bucket and len(listed["Parts"]) == 3, listed
uploads = s3.list_multipart_uploads(Bucket=bucket, Prefix=prefix)
assert [u["Key"] for u in uploads["Uploads"]] == [key("parts")], uploads
done = s3.complete_multipart_upload(Bucket=bucket, Key=key("parts"), UploadId=upload["UploadId"],
                                    MultipartUpload={"Parts": parts})
where = f"://{bucket}.s3.localhost" if style == "virtual" else f"/{bucket}/"
assert done["Bucket"] == bucket and where in done["Location"] and done["Location"].endswith("/" + key("parts")), done
assert s3.get_object(Bucket=bucket, Key=key("parts"))["Body"].read() == sent + body
aborted = s3.create_multipart_upload(Bucket=bucket, Key=key("aborted"))
s3.abort_multipart_upload(Bucket=bucket, Key=key("aborted"), UploadId=aborted["UploadId"])

many = [key(f"many/{i:04}") for i in range(25)]
for name in many:
    s3.put_object(Bucket=bucket, Key=name, Body=b"")
pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key("many/"), PaginationConfig={"PageSize": 10})
assert [o["Key"] for page in pages for o in page["Contents"]] == many
pages = s3.get_paginator("list_objects").paginate(Bucket=bucket, Prefix=key("many/"), PaginationConfig={"PageSize": 10})
assert [o["Key"] for page in pages for o in page["Contents"]] == many
folders = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, Delimiter="/")
assert [p["Prefix"] for p in folders["CommonPrefixes"]] == [key("many/")], folders
assert folders["Name"] == bucket
assert s3.list_object_versions(Bucket=bucket, Prefix=key("many/"))["Name"] == bucket
result = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": k} for k in many]})
assert len(result["Deleted"]) == len(many) and "Errors" not in result, result
result = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key("copy")}, {"Key": "elsewhere/x"}], "Quiet": True})
if scope == "prefix":
    assert [(e["Key"], e["Code"]) for e in result["Errors"]] == [("elsewhere/x", "AccessDenied")], result

url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": key("presigned")}, ExpiresIn=60)
urllib.request.urlopen(urllib.request.Request(url, data=b"by url", method="PUT")).read()
url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key("presigned"),
                                                      "ResponseContentType": "text/x-mine"}, ExpiresIn=60)
answer = urllib.request.urlopen(url)
assert answer.read() == b"by url" and answer.headers["Content-Type"] == "text/x-mine"

old = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", config=Config(signature_version="s3", s3={"addressing_style": style}))
try:
    urllib.request.urlopen(old.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key("presigned")}))
    raise AssertionError("the old signature was accepted")
except urllib.error.HTTPError as e:
    assert e.code == 400 and b"s3v4" in e.read(), e

s3.upload_fileobj(io.BytesIO(body * 200), bucket, key("managed"))
out = io.BytesIO()
s3.download_fileobj(bucket, key("managed"), out)
assert out.getvalue() == body * 200

s3.head_bucket(Bucket=bucket)
assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None
assert [b["Name"] for b in s3.list_buckets()["Buckets"]] == [bucket]
refused("403", s3.head_bucket, Bucket="elsewhere")
if scope == "prefix":
    refused("AccessDenied", s3.list_objects_v2, Bucket=bucket)
    refused("AccessDenied", s3.put_object, Bucket=bucket, Key="elsewhere/x", Body=b"x")
    refused("AccessDenied", s3.copy_object, Bucket=bucket, Key=key("stolen"),
            CopySource={"Bucket": bucket, "Key": "elsewhere/x"})
refused("AccessDenied", s3.get_bucket_policy, Bucket=bucket)
refused("AccessDenied", s3.create_bucket, Bucket="mine-alone")
print("ok")
