/**
 * One engine for many tabs, beside tabs that each load a pipeline of their own: how soon a further tab is ready, what
 * memory 1, 2, 4 and 8 tabs take, and how long captions stop when the tab that owns the engine dies. Runs outside
 * of the browser, because it opens and closes the tabs.
 */
const COUNTS = [1, 2, 4, 8];
const MODULE = '/bench/support/tab.ts';
/** Tabs opened to measure the attaching: the first ones make the server compile. */
const ATTACHED = 21;

const call = (page, name, ...args) =>
  page.evaluate(({ name, args }) => globalThis.loaded[name](...args), { name, args });

const percentile = (values, share) => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
};

const MIB = 2 ** 20;

/** @type {(context: { server: object, launch: () => Promise<import('playwright').BrowserContext>, log: (line: string) => void }) => Promise<object>} */
export async function run({ server, launch, log }) {
  const open = async (context) => {
    const page = await context.newPage();
    await server.open(page, MODULE);
    return page;
  };
  const memory = async (pages) => {
    let bytes = 0;
    for (const page of pages) bytes += await call(page, 'memoryBytes');
    return bytes / MIB;
  };

  const ours = await launch();
  const owner = await open(ours);
  await call(owner, 'attach');
  await call(owner, 'prepare');
  const pages = [owner];
  const oursMemory = [];
  const attachMs = [];
  for (const count of COUNTS) {
    while (pages.length < count) {
      const page = await open(ours);
      const attached = await call(page, 'attach');
      if (!attached.ready) throw new Error('a further tab found no loaded model');
      attachMs.push(attached.attachMs);
      pages.push(page);
    }
    oursMemory.push(await memory(pages));
    log(`${count} tabs on one engine: ${oursMemory.at(-1).toFixed(0)} MiB`);
  }
  while (attachMs.length < ATTACHED) {
    const page = await open(ours);
    attachMs.push((await call(page, 'attach')).attachMs);
    await page.close();
  }
  const { loads, epoch } = await call(owner, 'report');
  log(`models loaded: ${loads.length}`);

  const recorder = pages[1];
  await call(recorder, 'record');
  await recorder.waitForFunction('globalThis.loaded.inMidSpeech()', null, { timeout: 120_000 });
  await owner.close();
  const diedAt = Date.now();
  const next = await recorder.waitForFunction((epoch) => globalThis.loaded.firstCaptionAfter(epoch), epoch, {
    timeout: 120_000,
  });
  const takeOverMs = (await next.jsonValue()) - diedAt;
  const warmLoadMs = (await call(recorder, 'report')).loads.at(-1)?.loadMs ?? null;
  const { said, texts } = await call(recorder, 'stop');
  const heard = texts.filter((text) => /good morning everyone.*meeting today/i.test(text)).length;
  log(`said ${said} times, read ${heard} times: ${texts.join(' | ')}`);
  await ours.close();

  const theirs = await launch();
  const plainMs = [];
  const plainMemory = [];
  const plainPages = [];
  for (const count of COUNTS) {
    while (plainPages.length < count) {
      const page = await open(theirs);
      plainMs.push(await call(page, 'loadPlain'));
      plainPages.push(page);
    }
    plainMemory.push(await memory(plainPages));
    log(`${count} tabs with a pipeline each: ${plainMemory.at(-1).toFixed(0)} MiB`);
  }
  await theirs.close();

  const attachP95 = percentile(attachMs, 0.95);
  const growth = oursMemory.at(-1) / oursMemory[0];
  return {
    peer: 'a plain transformers.js pipeline in every tab, WASM q8',
    rows: [
      {
        what: 'a further tab is ready, p50',
        unit: 'ms',
        ours: percentile(attachMs, 0.5),
        peer: percentile(plainMs.slice(1), 0.5),
      },
      {
        what: 'a further tab is ready, p95',
        unit: 'ms',
        ours: attachP95,
        peer: percentile(plainMs.slice(1), 0.95),
        goal: '≤ 50 ms',
        met: attachP95 <= 50,
      },
      {
        what: 'loads of the model with 8 tabs',
        unit: '',
        ours: loads.length,
        peer: plainMs.length,
        goal: '1',
        met: loads.length === 1,
      },
      ...COUNTS.map((count, index) => ({
        what: `memory of ${count} tabs`,
        unit: 'MiB',
        ours: oursMemory[index],
        peer: plainMemory[index],
      })),
      {
        what: 'memory of 8 tabs / of 1 tab',
        unit: '',
        ours: growth,
        peer: plainMemory.at(-1) / plainMemory[0],
        goal: '≤ 1.15',
        met: growth <= 1.15,
      },
      {
        what: 'death of the owner to the next caption',
        unit: 'ms',
        ours: takeOverMs,
        goal: `≤ warm load (${Math.round(warmLoadMs ?? 0)} ms) + 500 ms`,
        met: warmLoadMs !== null && takeOverMs <= warmLoadMs + 500,
      },
      {
        what: 'sentences lost at the take-over',
        unit: '',
        ours: said - heard,
        goal: '0',
        met: said === heard,
      },
    ],
    notes: [
      'Ready: from the first line of the app to the first answer of an engine that has the model.',
      'Memory: JavaScript and WebAssembly of all tabs with their workers, by measureUserAgentSpecificMemory.',
      'Speech is the known-answer clip in real time with 2 s between, the captions go on in a tab that did not own the engine.',
    ],
  };
}
