import { existsSync, readFileSync } from 'node:fs';

const NONE = { passed: 0, failed: 0, skipped: 0 };

const read = (report) => (existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : null);

/**
 * Tests in a report of Vitest's json reporter; none when there is no report. A file that could
 * not be loaded counts as one failed test.
 * @returns {{ passed: number, failed: number, skipped: number }}
 */
export function countVitest(report) {
  const json = read(report);
  if (!json) return { ...NONE };
  const unloadable = json.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  );
  return {
    passed: json.numPassedTests,
    failed: json.numFailedTests + unloadable.length,
    skipped: json.numPendingTests + json.numTodoTests,
  };
}

/**
 * Tests in a report of Playwright's json reporter; none when there is no report. A test that
 * passed only when repeated counts as failed.
 * @returns {{ passed: number, failed: number, skipped: number }}
 */
export function countPlaywright(report) {
  const json = read(report);
  if (!json) return { ...NONE };
  const { expected, unexpected, flaky, skipped } = json.stats;
  return { passed: expected, failed: unexpected + flaky, skipped };
}
