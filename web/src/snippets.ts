/** What a snippet is filled with. */
export interface Filling {
  accessKeyId: string;
  secretAccessKey: string;
  /** Where S3 clients go, as in "http://localhost:8090". */
  endpoint: string;
  region: string;
  /** A bucket that the key may list, by the name that clients see; absent: it may list none. */
  bucket?: string;
  /** Every listing must start with it. */
  prefix?: string;
}

/** A text that works when it is pasted and run. */
export interface Snippet {
  id: string;
  label: string;
  /** "sh" is pasted into a shell; the others are the content of a file. */
  language: 'sh' | 'python' | 'go' | 'js';
  /** What has to be there, and how it is run. */
  hint: string;
  text: string;
}

/** A file to be downloaded. */
export interface Download {
  label: string;
  name: string;
  text: string;
}

/** One snippet per client. All list the bucket, or the buckets where none may be listed. */
export function snippets(filling: Filling): Snippet[] {
  return [awsEnv(filling), awsProfile(filling), boto3(filling), rclone(filling), s3cmd(filling), goSdk(filling), javascript(filling)];
}

/** The scope's first grant that may list, as a filling has it. */
export function listable(
  grants: readonly { bucket: string; permissions: readonly string[]; prefix?: string; alias?: string }[],
): Pick<Filling, 'bucket' | 'prefix'> {
  const grant = grants.find(({ permissions }) => permissions.includes('list'));
  if (!grant) {
    return {};
  }
  // An alias hides the prefix: clients see keys without it.
  return grant.alias ? { bucket: grant.alias, prefix: '' } : { bucket: grant.bucket, prefix: grant.prefix ?? '' };
}

/** Files that clients read. */
export function downloads(filling: Filling): Download[] {
  const { accessKeyId, secretAccessKey, endpoint, region } = filling;
  return [
    {
      label: '.env', name: 'keystile.env',
      text: lines(
        `AWS_ACCESS_KEY_ID=${accessKeyId}`,
        `AWS_SECRET_ACCESS_KEY=${secretAccessKey}`,
        `AWS_REGION=${region}`,
        `AWS_DEFAULT_REGION=${region}`,
        `AWS_ENDPOINT_URL_S3=${endpoint}`,
      ),
    },
    {
      label: 'AWS credentials file', name: 'credentials',
      text: lines(
        '[keystile]',
        `aws_access_key_id = ${accessKeyId}`,
        `aws_secret_access_key = ${secretAccessKey}`,
        `region = ${region}`,
        `endpoint_url = ${endpoint}`,
      ),
    },
  ];
}

function lines(...all: string[]): string {
  return `${all.join('\n')}\n`;
}

/** Quotes for a POSIX shell. */
function sh(text: string): string {
  return /^[A-Za-z0-9_./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A string literal that Python, Go and JavaScript read alike. */
function literal(text: string): string {
  return JSON.stringify(text);
}

function s3Url({ bucket, prefix }: Filling): string {
  return bucket === undefined ? '' : ` ${sh(`s3://${bucket}/${prefix ?? ''}`)}`;
}

function awsEnv(f: Filling): Snippet {
  return {
    id: 'aws-env', label: 'aws-cli', language: 'sh', hint: 'Paste into a shell; holds for this shell only.',
    text: lines(
      `export AWS_ACCESS_KEY_ID=${sh(f.accessKeyId)}`,
      `export AWS_SECRET_ACCESS_KEY=${sh(f.secretAccessKey)}`,
      `export AWS_DEFAULT_REGION=${sh(f.region)}`,
      `aws --endpoint-url ${sh(f.endpoint)} s3 ls${s3Url(f)}`,
    ),
  };
}

function awsProfile(f: Filling): Snippet {
  return {
    id: 'aws-profile', label: 'aws-cli profile', language: 'sh', hint: 'Paste into a shell; keeps the key in ~/.aws under the name keystile.',
    text: lines(
      `aws configure set aws_access_key_id ${sh(f.accessKeyId)} --profile keystile`,
      `aws configure set aws_secret_access_key ${sh(f.secretAccessKey)} --profile keystile`,
      `aws configure set region ${sh(f.region)} --profile keystile`,
      `aws configure set output json --profile keystile`,
      `aws configure set endpoint_url ${sh(f.endpoint)} --profile keystile`,
      `aws --profile keystile --endpoint-url ${sh(f.endpoint)} s3 ls${s3Url(f)}`,
    ),
  };
}

function boto3(f: Filling): Snippet {
  const use = f.bucket === undefined
    ? ['for bucket in s3.list_buckets()["Buckets"]:', '    print(bucket["Name"])']
    : [
        `pages = s3.get_paginator("list_objects_v2").paginate(Bucket=${literal(f.bucket)}, Prefix=${literal(f.prefix ?? '')})`,
        'for page in pages:',
        '    for item in page.get("Contents", []):',
        '        print(item["Key"], item["Size"])',
      ];
  return {
    id: 'boto3', label: 'boto3', language: 'python', hint: 'pip install boto3; save as list.py; python3 list.py',
    text: lines(
      'import boto3',
      '',
      's3 = boto3.client(',
      '    "s3",',
      `    endpoint_url=${literal(f.endpoint)},`,
      `    region_name=${literal(f.region)},`,
      `    aws_access_key_id=${literal(f.accessKeyId)},`,
      `    aws_secret_access_key=${literal(f.secretAccessKey)},`,
      ')',
      ...use,
    ),
  };
}

function rclone(f: Filling): Snippet {
  const target = f.bucket === undefined ? 'keystile:' : `keystile:${f.bucket}/${f.prefix ?? ''}`;
  return {
    id: 'rclone', label: 'rclone', language: 'sh', hint: 'Paste into a shell; writes keystile-rclone.conf.',
    text: lines(
      "(umask 077; cat > keystile-rclone.conf <<'EOF'",
      '[keystile]',
      'type = s3',
      'provider = Other',
      `access_key_id = ${f.accessKeyId}`,
      `secret_access_key = ${f.secretAccessKey}`,
      `endpoint = ${f.endpoint}`,
      `region = ${f.region}`,
      'EOF',
      ')',
      `rclone --config keystile-rclone.conf lsf ${sh(target)}`,
    ),
  };
}

function s3cmd(f: Filling): Snippet {
  const { protocol, host } = new URL(f.endpoint);
  return {
    id: 's3cmd', label: 's3cmd', language: 'sh', hint: 'Paste into a shell; writes keystile.s3cfg.',
    text: lines(
      "(umask 077; cat > keystile.s3cfg <<'EOF'",
      '[default]',
      `access_key = ${f.accessKeyId}`,
      `secret_key = ${f.secretAccessKey}`,
      `host_base = ${host}`,
      `host_bucket = ${host}`,
      `bucket_location = ${f.region}`,
      `use_https = ${protocol === 'https:' ? 'True' : 'False'}`,
      'EOF',
      ')',
      `s3cmd --config keystile.s3cfg ls${s3Url(f)}`,
    ),
  };
}

function goSdk(f: Filling): Snippet {
  const use = f.bucket === undefined
    ? [
        '\tout, err := client.ListBuckets(ctx, &s3.ListBucketsInput{})',
        '\tif err != nil {',
        '\t\tlog.Fatal(err)',
        '\t}',
        '\tfor _, bucket := range out.Buckets {',
        '\t\tfmt.Println(aws.ToString(bucket.Name))',
        '\t}',
      ]
    : [
        '\tpages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{',
        `\t\tBucket: aws.String(${literal(f.bucket)}),`,
        `\t\tPrefix: aws.String(${literal(f.prefix ?? '')}),`,
        '\t})',
        '\tfor pages.HasMorePages() {',
        '\t\tpage, err := pages.NextPage(ctx)',
        '\t\tif err != nil {',
        '\t\t\tlog.Fatal(err)',
        '\t\t}',
        '\t\tfor _, item := range page.Contents {',
        '\t\t\tfmt.Println(aws.ToString(item.Key), aws.ToInt64(item.Size))',
        '\t\t}',
        '\t}',
      ];
  return {
    id: 'go', label: 'Go', language: 'go', hint: 'Save as main.go; go mod init list; go mod tidy; go run .',
    text: lines(
      'package main',
      '',
      'import (',
      '\t"context"',
      '\t"fmt"',
      '\t"log"',
      '',
      '\t"github.com/aws/aws-sdk-go-v2/aws"',
      '\t"github.com/aws/aws-sdk-go-v2/credentials"',
      '\t"github.com/aws/aws-sdk-go-v2/service/s3"',
      ')',
      '',
      'func main() {',
      '\tctx := context.Background()',
      '\tclient := s3.New(s3.Options{',
      `\t\tBaseEndpoint: aws.String(${literal(f.endpoint)}),`,
      `\t\tRegion:       ${literal(f.region)},`,
      '\t\tUsePathStyle: true,',
      '\t\tCredentials: credentials.NewStaticCredentialsProvider(',
      `\t\t\t${literal(f.accessKeyId)}, ${literal(f.secretAccessKey)}, ""),`,
      '\t})',
      ...use,
      '}',
    ),
  };
}

function javascript(f: Filling): Snippet {
  const [command, use] = f.bucket === undefined
    ? ['ListBucketsCommand', [
        'const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));',
        'for (const bucket of Buckets) console.log(bucket.Name);',
      ]] as const
    : ['paginateListObjectsV2', [
        `const pages = paginateListObjectsV2({ client: s3 }, { Bucket: ${literal(f.bucket)}, Prefix: ${literal(f.prefix ?? '')} });`,
        'for await (const { Contents = [] } of pages) {',
        '  for (const item of Contents) console.log(item.Key, item.Size);',
        '}',
      ]] as const;
  return {
    id: 'javascript', label: 'JavaScript', language: 'js', hint: 'npm install @aws-sdk/client-s3; save as list.mjs; node list.mjs',
    text: lines(
      `import { ${command}, S3Client } from '@aws-sdk/client-s3';`,
      '',
      'const s3 = new S3Client({',
      `  endpoint: ${literal(f.endpoint)},`,
      `  region: ${literal(f.region)},`,
      '  forcePathStyle: true,',
      '  credentials: {',
      `    accessKeyId: ${literal(f.accessKeyId)},`,
      `    secretAccessKey: ${literal(f.secretAccessKey)},`,
      '  },',
      '});',
      ...use,
    ),
  };
}
