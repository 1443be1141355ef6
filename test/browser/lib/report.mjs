// Tells what node's test runner found, in short: the whole output of what
// failed, the name of what was skipped, the counts at the end.

/** Takes the runner's events. A test with subtests counts as its subtests. */
export function report(out) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const print = (line) => out.write(`${line}\n`);
  // How many tests ended at each depth of a file since the last one above them.
  const below = new Map();
  const isLeaf = ({ details, file, nesting }) => {
    const depths = below.get(file) ?? [];
    below.set(file, depths);
    const children = depths[nesting + 1] ?? 0;
    depths[nesting] = (depths[nesting] ?? 0) + 1;
    depths[nesting + 1] = 0;
    return details?.type !== 'suite' && children === 0;
  };

  const event = ({ type, data }) => {
    if (type === 'test:stderr' || type === 'test:stdout') {
      print(data.message.trimEnd());
    }
    const short = data.file?.split('/').at(-1) ?? '';
    const leaf = (type === 'test:fail' || type === 'test:pass') && isLeaf(data);
    if (type === 'test:fail') {
      const { error } = data.details;
      // What only says that something below it failed is not told twice.
      if (error?.failureType !== 'subtestsFailed') {
        counts.failed += 1;
        print(`--- ${short}: ${data.name} FAILED\n${describe(error)}`);
      }
    } else if (leaf) {
      if (data.skip !== undefined || data.todo !== undefined) {
        counts.skipped += 1;
        print(`--- ${short}: ${data.name} skipped`);
        return;
      }
      counts.passed += 1;
      print(`ok    ${short.padEnd(28)} ${(data.details.duration_ms / 1000).toFixed(1).padStart(6)}s  ${data.name}`);
    }
  };
  const close = () => {
    print(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
    return counts.failed === 0 && counts.passed > 0;
  };
  return { event, close };
}

function describe(error) {
  const cause = error?.cause ?? error;
  return String(cause?.stack ?? cause ?? 'no reason given').replaceAll(/^/gm, '    ');
}
