"""An RGW user sets what is its own to set on a bucket, and nothing else.

ownbucket.py ENDPOINT BUCKET HOME; the keys of two users are in OWN_* and OTHER_*.
"""

import os
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

endpoint, bucket, home = sys.argv[1:4]


def client(who):
    return boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1",
        aws_access_key_id=os.environ[who + "_KEY"], aws_secret_access_key=os.environ[who + "_SECRET"],
        config=Config(retries={"max_attempts": 1}))


def refused(code, call, **args):
    try:
        call(**args)
    except ClientError as e:
        got = e.response["Error"]["Code"]
        if got not in code.split("|"):
            sys.exit(f"{call.__name__}: {got}, want {code}")
        return
    sys.exit(f"{call.__name__}: done, want {code}")


own, other = client("OWN"), client("OTHER")
tags = {"TagSet": [{"Key": "colour", "Value": "red"}]}
cors = {"CORSRules": [{"AllowedOrigins": ["https://app.example"], "AllowedMethods": ["GET"], "AllowedHeaders": ["*"], "MaxAgeSeconds": 60}]}
rules = {"Rules": [{"ID": "tmp", "Filter": {"Prefix": "tmp/"}, "Status": "Enabled", "Expiration": {"Days": 3}}]}

own.create_bucket(Bucket=bucket)
refused("BucketAlreadyOwnedByYou", own.create_bucket, Bucket=bucket)
refused("BucketAlreadyExists", other.create_bucket, Bucket=bucket)

own.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
assert own.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
first = own.put_object(Bucket=bucket, Key="a", Body=b"one")["VersionId"]
own.put_object(Bucket=bucket, Key="a", Body=b"two")
assert own.get_object(Bucket=bucket, Key="a", VersionId=first)["Body"].read() == b"one"

own.put_bucket_tagging(Bucket=bucket, Tagging=tags)
assert own.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags["TagSet"]
own.delete_bucket_tagging(Bucket=bucket)

own.put_bucket_cors(Bucket=bucket, CORSConfiguration=cors)
assert own.get_bucket_cors(Bucket=bucket)["CORSRules"][0]["AllowedOrigins"] == ["https://app.example"]
own.delete_bucket_cors(Bucket=bucket)
refused("NoSuchCORSConfiguration", own.get_bucket_cors, Bucket=bucket)

if home == "ceph":
    own.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=rules)
    assert own.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"][0]["Expiration"]["Days"] == 3
    own.delete_bucket_lifecycle(Bucket=bucket)
else:  # the embedded server does not know it
    refused("NotImplemented", own.put_bucket_lifecycle_configuration, Bucket=bucket, LifecycleConfiguration=rules)
    refused("NotImplemented", own.delete_bucket_lifecycle, Bucket=bucket)


def everybody():
    return [g["Permission"] for g in own.get_bucket_acl(Bucket=bucket)["Grants"] if g["Grantee"].get("URI", "").endswith("/AllUsers")]


refused("AccessDenied", other.list_objects_v2, Bucket=bucket)
assert everybody() == []
own.put_bucket_acl(Bucket=bucket, ACL="public-read")
assert everybody() == ["READ"]
assert other.list_objects_v2(Bucket=bucket)["Contents"][0]["Key"] == "a"
if home == "ceph":  # whose objects have ACLs of their own
    refused("AccessDenied", other.get_object, Bucket=bucket, Key="a")
    own.put_bucket_acl(Bucket=bucket, ACL="authenticated-read")
else:
    assert other.get_object(Bucket=bucket, Key="a")["Body"].read() == b"two"
    refused("AccessDenied", other.get_object, Bucket=bucket, Key="a", VersionId=first)
    refused("NotImplemented", own.put_bucket_acl, Bucket=bucket, ACL="authenticated-read")
refused("AccessDenied", other.put_object, Bucket=bucket, Key="b", Body=b"x")
acl = own.get_bucket_acl(Bucket=bucket)
owner = acl["Owner"]
own.put_bucket_acl(Bucket=bucket, AccessControlPolicy={
    "Owner": owner, "Grants": [{"Grantee": {"Type": "CanonicalUser", "ID": owner["ID"]}, "Permission": "FULL_CONTROL"}]})
assert everybody() == []
refused("AccessDenied", other.list_objects_v2, Bucket=bucket)

public = bucket + "-public"
own.create_bucket(Bucket=public, ACL="public-read")
other.list_objects_v2(Bucket=public)

for call, args in (
    (other.put_bucket_versioning, {"VersioningConfiguration": {"Status": "Suspended"}}),
    (other.put_bucket_tagging, {"Tagging": tags}),
    (other.put_bucket_cors, {"CORSConfiguration": cors}),
    (other.put_bucket_lifecycle_configuration, {"LifecycleConfiguration": rules}),
    (other.put_bucket_acl, {"ACL": "public-read"}),
    (other.get_bucket_acl, {}),
    (own.put_bucket_policy, {"Policy": "{}"}),
    (own.put_bucket_notification_configuration, {"NotificationConfiguration": {}}),
    (own.put_bucket_logging, {"BucketLoggingStatus": {}}),
    (own.get_bucket_replication, {}),
):
    refused("AccessDenied", call, Bucket=bucket, **args)
print("ok")
