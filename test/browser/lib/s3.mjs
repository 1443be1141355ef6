// S3 clients at the gateway.
import { spawn } from 'node:child_process';

import { ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';

import { cleanEnv } from './server.mjs';

/** Runs a program; never throws for how it ended. */
export function run(command, args, { env = cleanEnv(), cwd, stdin = '' } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, cwd, timeout: 180_000 });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data) => { stdout += data; });
    child.stderr.on('data', (data) => { stderr += data; });
    child.on('error', reject);
    // One that does not read its input may have ended before it is given.
    child.stdin.on('error', () => {});
    child.on('close', (code) => resolve({ code, stdout, stderr, all: stdout + stderr }));
    child.stdin.end(stdin);
  });
}

/** aws-cli with a key. */
export function awsCli(server, { id, secret }, ...args) {
  const env = cleanEnv({ AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_DEFAULT_REGION: 'us-east-1' });
  return run('aws', ['--endpoint-url', server.s3_endpoint, ...args], { env });
}

function sdk(server, { id, secret }) {
  return new S3Client({ endpoint: server.s3_endpoint, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1, credentials: { accessKeyId: id, secretAccessKey: secret } });
}

/** Puts a small object at each of the keys. */
export async function putAll(server, key, bucket, keys) {
  const client = sdk(server, key);
  try {
    await Promise.all(keys.map((name) => client.send(new PutObjectCommand({ Bucket: bucket, Key: name, Body: `at ${name}` }))));
  } finally {
    client.destroy();
  }
}

/** How the gateway answers a listing: the HTTP status, and the code of a refusal. */
export async function listing(server, key, bucket) {
  const client = sdk(server, key);
  try {
    const answer = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
    return { status: answer.$metadata.httpStatusCode, code: '', keys: (answer.Contents ?? []).map((item) => item.Key) };
  } catch (error) {
    if (!error.$metadata?.httpStatusCode) {
      throw error;
    }
    return { status: error.$metadata.httpStatusCode, code: error.name, keys: [] };
  } finally {
    client.destroy();
  }
}
