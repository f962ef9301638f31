/**
 * Counts what leaves the device: the bytes of every request body that passes the service worker,
 * from any tab and any of their workers. Models are fetched with GET and send no body, so the
 * count stays 0 unless something uploads.
 */
export class TrafficMeter {
  #bytes = 0;
  readonly #channel = 'BroadcastChannel' in self ? new BroadcastChannel('traffic') : null;

  constructor() {
    this.#channel?.addEventListener('message', ({ data }) => {
      if (data === 'how-much') this.#tell();
    });
  }

  /** Call before anything consumes the request. */
  async count(request: Request): Promise<void> {
    if (request.method === 'GET' || request.method === 'HEAD' || !request.body) return;
    this.#bytes += (await request.clone().arrayBuffer()).byteLength;
    this.#tell();
  }

  #tell(): void {
    this.#channel?.postMessage({ bytesSent: this.#bytes });
  }
}
