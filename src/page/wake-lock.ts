/**
 * Keeps the screen on while `wanted` is set: a phone that sleeps stops the microphone. The browser takes the
 * lock away whenever the page is hidden, so it is asked for again when the page comes back.
 */
export class WakeLock {
  #wanted = false;
  #lock: WakeLockSentinel | null = null;

  constructor() {
    document.addEventListener('visibilitychange', () => void this.#acquire());
  }

  set(wanted: boolean): void {
    this.#wanted = wanted;
    if (wanted) void this.#acquire();
    else void this.#lock?.release();
  }

  async #acquire(): Promise<void> {
    if (!this.#wanted || document.hidden || !('wakeLock' in navigator)) return;
    if (this.#lock && !this.#lock.released) return;
    try {
      this.#lock = await navigator.wakeLock.request('screen');
      this.set(this.#wanted); // it may have changed in the meantime
    } catch {
      // Refused on low battery: the recording goes on as long as the screen does.
    }
  }
}
