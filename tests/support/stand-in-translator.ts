import { vi } from 'vitest';
import type { Language } from '@core/transcript/types.ts';

type Availability = 'unavailable' | 'downloadable' | 'available';
interface Pair {
  readonly sourceLanguage: Language;
  readonly targetLanguage: Language;
}

/**
 * Stands in for the browser's `Translator`, because its models cannot be fetched here: what is on the device, what it
 * answers and how a download goes is the test's. Like Chrome it begins a download after a real press only.
 */
export class StandInTranslator {
  /** Every call of it: `en-fr: Good morning.`, and what was asked of the API. */
  readonly asked: string[] = [];
  readonly open = new Set<string>();
  availability: (direction: string) => Availability = () => 'available';
  answer: (text: string, direction: string) => string = (text, direction) =>
    text.replace(/\p{Ll}+/gu, (word) => word + direction.slice(-2));
  /** Settles a download; the monitor tells how far it is. */
  download: (monitor: EventTarget) => Promise<void> = () => Promise.resolve();

  /** In the place of the browser's own. */
  install(): this {
    vi.stubGlobal('Translator', {
      availability: (pair: Pair) => {
        this.asked.push(`availability ${directionOf(pair)}`);
        return Promise.resolve(this.availability(directionOf(pair)));
      },
      create: (options: Pair & { signal: AbortSignal; monitor: (monitor: EventTarget) => void }) =>
        this.#create(options),
    });
    return this;
  }

  get translated(): string[] {
    return this.asked.filter((call) => call.includes(': '));
  }

  async #create(options: Pair & { signal: AbortSignal; monitor: (monitor: EventTarget) => void }) {
    const direction = directionOf(options);
    this.asked.push(`create ${direction}`);
    if (this.availability(direction) === 'downloadable') {
      if (!navigator.userActivation.isActive)
        throw new DOMException('Requires a user gesture', 'NotAllowedError');
      const monitor = new EventTarget();
      options.monitor(monitor);
      await this.download(monitor);
    }
    options.signal.throwIfAborted();
    this.open.add(direction);
    return {
      translate: async (text: string, { signal }: { signal: AbortSignal }) => {
        signal.throwIfAborted();
        if (!this.open.has(direction)) throw new DOMException('destroyed', 'InvalidStateError');
        this.asked.push(`${direction}: ${text}`);
        return this.answer(text, direction);
      },
      destroy: () => this.open.delete(direction),
    };
  }
}

const directionOf = ({ sourceLanguage, targetLanguage }: Pair): string =>
  `${sourceLanguage}-${targetLanguage}`;
