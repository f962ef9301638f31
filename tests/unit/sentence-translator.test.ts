import { describe, expect, test } from 'vitest';
import { UnisonoError } from '@core/protocol/errors.ts';
import type { SentenceRequest } from '@core/translation/translate-sentence.ts';
import type { GlossaryEntry } from '@core/translation/types.ts';
import { deferred, type Deferred } from '@core/util/deferred.ts';
import { translators, type Answer } from '../support/translators.ts';
import { settled } from '../support/virtual-clock.ts';

const WORDS: Readonly<Record<string, string>> = {
  'en-es Good morning everyone.': 'Buenos días a todos.',
  'en-es The meeting begins at half past nine.': 'La reunión empieza a las nueve y media.',
  'es-en Buenos días a todos.': 'Good morning everyone.',
  'en-fr Good morning everyone.': 'Bonjour à tous.',
  'es-fr Buenos días a todos.': 'Bonjour tout le monde.',
};

const known: Answer = (text, model) =>
  WORDS[`${model.slice('opus-mt-'.length)} ${text}`] ?? `Nada de ${text}`;

const ask = (change: Partial<SentenceRequest> = {}): SentenceRequest => ({
  session: 'meeting',
  priority: 'translation',
  text: 'Good morning everyone.',
  from: 'en',
  to: 'es',
  glossary: [],
  signal: new AbortController().signal,
  ...change,
});

const term = (said: string, written: string): GlossaryEntry => ({
  from: 'en',
  to: 'es',
  term: said,
  translation: written,
});

/** Answers that wait until the test gives them. */
function waiting() {
  const answers = new Map<string, Deferred<string>>();
  const answer: Answer = (text) => {
    const made = deferred<string>();
    answers.set(text, made);
    return made.promise;
  };
  return { answer, answers };
}

describe('a sentence', () => {
  test('is translated once however many read it, at once or later', async () => {
    const { sentences, asked } = translators(known);
    const readers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => sentences.translate(ask({ session: `meeting ${index}` }))),
    );
    readers.push(await sentences.translate(ask({ priority: 'background' })));
    expect(new Set(readers.map(({ translation }) => translation))).toEqual(new Set(['Buenos días a todos.']));
    expect(asked).toEqual(['en-es Good morning everyone.']);
  });

  test('is forgotten after five hundred others, and not while it is in use', async () => {
    const { sentences, asked } = translators((text) => `Nada de ${text}`);
    const say = (text: string) => sentences.translate(ask({ text }));
    for (let index = 0; index < 499; index += 1) await say(`Sentence ${index}.`);
    await say('Sentence 0.');
    await say('One more.');
    await say('And another.');
    expect(asked).toHaveLength(501);
    await say('Sentence 0.');
    expect(asked).toHaveLength(501);
    await say('Sentence 1.');
    expect(asked).toHaveLength(502);
  });

  test('that holds no words stays as it is, and no model is asked', async () => {
    const { sentences, asked } = translators(known);
    expect(await sentences.translate(ask({ text: '…' }))).toEqual({ translation: '…' });
    expect(asked).toEqual([]);
  });

  test('goes through English where no model leads straight there, and who reads English shares that', async () => {
    const { sentences, asked } = translators(known);
    const [english, french] = await Promise.all([
      sentences.translate(ask({ text: 'Buenos días a todos.', from: 'es', to: 'en' })),
      sentences.translate(ask({ text: 'Buenos días a todos.', from: 'es', to: 'fr' })),
    ]);
    expect(english).toEqual({ translation: 'Good morning everyone.' });
    expect(french).toEqual({ translation: 'Bonjour à tous.', via: 'en' });
    expect(asked).toEqual(['es-en Buenos días a todos.', 'en-fr Good morning everyone.']);
  });

  test('goes straight there once such a model is on the device', async () => {
    const { sentences, registry, installed } = translators(known);
    const request = ask({ text: 'Buenos días a todos.', from: 'es', to: 'fr' });
    expect(await sentences.translate(request)).toEqual({ translation: 'Bonjour à tous.', via: 'en' });
    installed.add('opus-mt-es-fr');
    await registry.prepare('opus-mt-es-fr');
    expect(await sentences.translate(request)).toEqual({ translation: 'Bonjour tout le monde.' });
  });

  test('comes although the runtime fails in the middle of it: one rung lower', async () => {
    let faults = 1;
    const { sentences, registry, warnings } = translators((text, model, careful) => {
      if (faults-- > 0) throw new UnisonoError('gpu-lost', 'gone');
      return known(text, model, careful);
    });
    const { rung } = await registry.prepare('opus-mt-en-es');
    expect(await sentences.translate(ask())).toEqual({ translation: 'Buenos días a todos.' });
    expect(warnings).toEqual(['gpu-lost']);
    expect(registry.status('opus-mt-en-es')).toMatchObject({ state: 'ready' });
    expect(registry.status('opus-mt-en-es').rung).not.toBe(rung);
  });

  test('waits for whoever asks anew when no model is to be had', async () => {
    let offline = true;
    const { sentences, inference } = translators(known, {
      load: async () => {
        if (offline) throw new UnisonoError('model-missing-offline', 'no network');
      },
    });
    await expect(sentences.translate(ask())).rejects.toMatchObject({ code: 'model-missing-offline' });
    const { length } = inference.loads;
    await expect(sentences.translate(ask())).rejects.toMatchObject({ code: 'model-missing-offline' });
    expect(inference.loads).toHaveLength(length);
    offline = false;
    await sentences.askAnew({ from: 'en', to: 'es' });
    expect(await sentences.translate(ask())).toEqual({ translation: 'Buenos días a todos.' });
  });
});

describe('a wrong answer', () => {
  const loop = 'no no no no no no no no no no no no no no no no no no no no';

  test('that is none is asked for again, carefully', async () => {
    const { sentences, asked } = translators((text, model, careful) =>
      careful ? known(text, model, careful) : loop,
    );
    expect(await sentences.translate(ask())).toEqual({ translation: 'Buenos días a todos.' });
    expect(asked).toEqual(['en-es Good morning everyone.', 'en-es! Good morning everyone.']);
  });

  test('twice leaves the original words, marked', async () => {
    const { sentences } = translators(() => loop);
    expect(await sentences.translate(ask())).toEqual({
      translation: 'Good morning everyone.',
      flaw: 'degenerate',
    });
  });

  test('halfway leaves the original words, not English', async () => {
    const { sentences, asked } = translators((text, model, careful) =>
      model === 'opus-mt-es-en' ? loop : known(text, model, careful),
    );
    const request = ask({ text: 'Buenos días a todos.', from: 'es', to: 'fr' });
    expect(await sentences.translate(request)).toEqual({
      translation: 'Buenos días a todos.',
      flaw: 'degenerate',
    });
    expect(asked.filter((call) => call.startsWith('en-fr'))).toEqual([]);
  });

  test('that lost a number is asked for again with the number kept out of the model’s hands', async () => {
    const text = 'The invoice number is 48213 as agreed.';
    const { sentences, asked } = translators((given) =>
      given === text
        ? 'El número de la factura es el acordado.'
        : `El número de la factura es ${/X\d+Z/u.exec(given)?.[0] ?? ''} como se acordó.`,
    );
    expect(await sentences.translate(ask({ text }))).toEqual({
      translation: 'El número de la factura es 48213 como se acordó.',
    });
    expect(asked).toHaveLength(2);
  });

  test('that loses it whatever is done leaves the original words', async () => {
    const text = 'The invoice number is 48213 as agreed.';
    const { sentences } = translators(() => 'El número de la factura es el acordado.');
    expect(await sentences.translate(ask({ text }))).toEqual({ translation: text, flaw: 'altered' });
  });

  test('an address comes out as it went in', async () => {
    const text = 'Please write to mei.lin@example.org about the invoice.';
    const { sentences } = translators((given) =>
      given.includes('@')
        ? 'Escriba a la dirección mei lin sobre la factura.'
        : `Escriba a ${/X\d+Z/u.exec(given)?.[0] ?? ''} sobre la factura.`,
    );
    expect(await sentences.translate(ask({ text }))).toEqual({
      translation: 'Escriba a mei.lin@example.org sobre la factura.',
    });
  });
});

describe('the glossary', () => {
  const text = 'The board meets with Unisono on Friday.';

  test('is kept without a second call where the model copies or knows the word', async () => {
    const { sentences, asked } = translators(() => 'La junta se reúne con Unisono el viernes.');
    const glossary = [term('Unisono', 'Unísono'), term('board', 'junta')];
    expect(await sentences.translate(ask({ text, glossary }))).toEqual({
      translation: 'La junta se reúne con Unísono el viernes.',
    });
    expect(asked).toEqual([`en-es ${text}`]);
  });

  test('is kept by a second call where the model has another word for it', async () => {
    const { sentences, asked } = translators((given) =>
      given === text
        ? 'La junta se reúne con Unisono el viernes.'
        : given.replace('The', 'El').replace('meets with', 'se reúne con').replace('on Friday', 'el viernes'),
    );
    const glossary = [term('board', 'consejo')];
    expect(await sentences.translate(ask({ text, glossary }))).toEqual({
      translation: 'El consejo se reúne con Unisono el viernes.',
    });
    expect(asked).toHaveLength(2);
    expect((await sentences.translate(ask({ text }))).translation).toContain('junta');
    expect(asked).toHaveLength(2);
  });

  test('does not cost the translation where no call places its word', async () => {
    const translation = 'La junta se reúne con Unisono el viernes.';
    const { sentences, asked } = translators((given) => (given === text ? translation : 'Hola.'));
    expect(await sentences.translate(ask({ text, glossary: [term('board', 'consejo')] }))).toEqual({
      translation,
    });
    expect(asked).toHaveLength(2);
  });
});

describe('a reader', () => {
  test('of what is said now does not wait behind the backlog that asked for it first', async () => {
    const { answer, answers } = waiting();
    const { sentences, asked, registry } = translators(answer);
    await registry.prepare('opus-mt-en-es');
    void sentences.translate(ask({ text: 'Runs first.', priority: 'background' }));
    await settled();
    void sentences.translate(ask({ text: 'Waits behind.', priority: 'background' }));
    void sentences.translate(ask({ text: 'Said now.', priority: 'background' }));
    await settled();
    void sentences.translate(ask({ text: 'Said now.' }));
    await settled();
    answers.get('Runs first.')!.resolve('Va primero.');
    await settled();
    expect(asked).toEqual(['en-es Runs first.', 'en-es Said now.']);
  });

  test('who leaves stops the work for him alone, and not that of others', async () => {
    const { answer, answers } = waiting();
    const { sentences, asked } = translators(answer);
    const [one, other] = [new AbortController(), new AbortController()];
    const alone = sentences.translate(ask({ text: 'For one.', signal: one.signal }));
    await settled();
    const behind = sentences.translate(ask({ text: 'Waits.', signal: one.signal }));
    const first = sentences.translate(ask({ signal: one.signal }));
    const second = sentences.translate(ask({ signal: other.signal }));
    await settled();
    one.abort(new Error('enough'));
    for (const left of [alone, behind, first]) await expect(left).rejects.toThrow('enough');
    await settled();
    expect(asked).toEqual(['en-es For one.', 'en-es Good morning everyone.']);
    answers.get('Good morning everyone.')!.resolve('Buenos días a todos.');
    expect(await second).toEqual({ translation: 'Buenos días a todos.' });
  });

  test('keeps the models of his sentence in memory while it is on its way', async () => {
    const { answer, answers } = waiting();
    const { sentences } = translators(answer);
    const sentence = sentences.translate(ask());
    await settled();
    expect(sentences.needs('opus-mt-en-es', [])).toBe(true);
    answers.get('Good morning everyone.')!.resolve('Buenos días a todos.');
    await sentence;
    expect(sentences.needs('opus-mt-en-es', [])).toBe(false);
    expect(sentences.needs('opus-mt-en-es', [{ from: 'en', to: 'es' }])).toBe(true);
    expect(sentences.needs('opus-mt-en-fr', [{ from: 'en', to: 'es' }])).toBe(false);
  });
});
