// Does with aws-sdk-js v3 what it reads, one call a line, and writes what came of it.
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';

import * as sdk from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';

const [endpoint, region] = process.argv.slice(2);
const s3 = new sdk.S3Client({ endpoint, region, forcePathStyle: true });

const named = ({ bucket, key, version }) => ({ Bucket: bucket, Key: key, ...(version && { VersionId: version }) });

function described(answer, { checksum }) {
  return {
    size: answer.ContentLength ?? answer.ObjectSize ?? 0, etag: answer.ETag ?? '', content_type: answer.ContentType ?? '',
    metadata: answer.Metadata, version: answer.VersionId ?? '', checksum: (checksum && answer[`Checksum${checksum}`]) || '',
  };
}

async function upload(call, Body) {
  await new Upload({ client: s3, params: { Bucket: call.bucket, Key: call.key, Body } }).done();
}

async function list({ bucket, prefix = '', delimiter }) {
  const keys = [];
  const prefixes = [];
  for await (const page of sdk.paginateListObjectsV2({ client: s3 }, { Bucket: bucket, Prefix: prefix, Delimiter: delimiter })) {
    keys.push(...(page.Contents ?? []).map((item) => item.Key));
    prefixes.push(...(page.CommonPrefixes ?? []).map((item) => item.Prefix));
  }
  return { keys, prefixes };
}

async function save(call, path) {
  const answer = await s3.send(new sdk.GetObjectCommand({ ...named(call), Range: call.range }));
  await pipeline(answer.Body, createWriteStream(path));
  return described(answer, call);
}

const ops = {
  async put(call) {
    return described(await s3.send(new sdk.PutObjectCommand({
      ...named(call), Body: await readFile(call.path), ChecksumAlgorithm: call.checksum, ContentMD5: call.content_md5,
      ContentType: call.content_type, Metadata: call.metadata, IfMatch: call.if_match, IfNoneMatch: call.if_none_match,
    })), call);
  },
  get: (call) => save(call, call.path),
  download: (call) => save(call, call.path),
  upload: async (call) => upload(call, await readFile(call.path)),
  stream: (call) => upload(call, createReadStream(call.path)),
  async head(call) {
    return described(await s3.send(new sdk.HeadObjectCommand({ ...named(call), ChecksumMode: 'ENABLED' })), call);
  },
  list,
  async copy({ bucket, source, key }) {
    const from = [bucket, ...source.split('/')].map(encodeURIComponent).join('/');
    await s3.send(new sdk.CopyObjectCommand({ Bucket: bucket, Key: key, CopySource: from }));
  },
  async delete(call) {
    await s3.send(new sdk.DeleteObjectCommand(named(call)));
  },
  async 'delete-many'({ bucket, keys }) {
    const { Errors = [] } = await s3.send(new sdk.DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: keys.map((Key) => ({ Key })) } }));
    if (Errors.length > 0) {
      return { code: Errors[0].Code, error: Errors[0].Key };
    }
  },
  async 'sync-up'({ bucket, path, prefix }) {
    for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) {
        const file = join(entry.parentPath ?? entry.path, entry.name);
        await upload({ bucket, key: prefix + relative(path, file) }, createReadStream(file));
      }
    }
  },
  async 'sync-down'(call) {
    for (const key of (await list(call)).keys) {
      const path = join(call.path, key.slice(call.prefix.length));
      await mkdir(dirname(path), { recursive: true });
      await save({ bucket: call.bucket, key }, path);
    }
  },
  async presign(call) {
    const Command = { GET: sdk.GetObjectCommand, HEAD: sdk.HeadObjectCommand, PUT: sdk.PutObjectCommand }[call.method];
    return { url: await getSignedUrl(s3, new Command(named(call)), { expiresIn: 300 }) };
  },
  async 'set-tags'(call) {
    const TagSet = Object.entries(call.tags).map(([Key, Value]) => ({ Key, Value }));
    await s3.send(new sdk.PutObjectTaggingCommand({ ...named(call), Tagging: { TagSet } }));
  },
  async 'get-tags'(call) {
    const { TagSet } = await s3.send(new sdk.GetObjectTaggingCommand(named(call)));
    return { tags: Object.fromEntries(TagSet.map(({ Key, Value }) => [Key, Value])) };
  },
  async versions({ bucket, key }) {
    const { Versions = [], DeleteMarkers = [] } = await s3.send(new sdk.ListObjectVersionsCommand({ Bucket: bucket, Prefix: key }));
    return { versions: [...Versions, ...DeleteMarkers].map((version) => version.VersionId) };
  },
  async attributes(call) {
    return described(await s3.send(new sdk.GetObjectAttributesCommand({ ...named(call), ObjectAttributes: ['ObjectSize', 'ETag'] })), call);
  },
};

async function answer(call) {
  try {
    return (await ops[call.op](call)) ?? {};
  } catch (error) {
    const said = `${error.name}: ${error.message}`;
    return error.$metadata?.httpStatusCode ? { code: error.name === 'Unknown' ? String(error.$metadata.httpStatusCode) : error.name, error: said } : { error: said };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
}
