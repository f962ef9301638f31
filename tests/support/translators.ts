import type { TranslatorId } from '@core/protocol/engine.ts';
import { Scheduler } from '@workers/engine/scheduler.ts';
import { SentenceTranslator } from '@workers/engine/sentence-translator.ts';
import { ScriptedInference, translated, type Script } from './scripted-inference.ts';
import { scriptedRegistry } from './scripted-registry.ts';

/** What a translator answers to a text, soon or at once. */
export type Answer = (text: string, model: TranslatorId, careful: boolean) => string | Promise<string>;

/**
 * The engine's translators on two rungs, with scripted answers. `asked` is every call as the worker sees it: the
 * direction, the text, and `!` where it is to be careful.
 */
export function translators(answer: Answer, script: Omit<Script, 'translate'> = {}) {
  const asked: string[] = [];
  const installed = new Set<TranslatorId>();
  const onReady: (() => void)[] = [];
  const inference = new ScriptedInference({
    ...script,
    translate: async (model, text, { careful }) => {
      asked.push(`${model.slice('opus-mt-'.length)}${careful ? '!' : ''} ${text}`);
      return translated(await answer(text, model, careful));
    },
  });
  const { registry, warnings } = scriptedRegistry(inference, ({ state }) => {
    if (state !== 'ready') return;
    sentences.modelsChanged();
    for (const hear of onReady) hear();
  });
  const scheduler = new Scheduler();
  const sentences = new SentenceTranslator({ registry, scheduler, installed: async () => installed });
  return { asked, installed, warnings, onReady, inference, registry, scheduler, sentences };
}
