/** What has left this device since the app was opened, as the service worker counts it. */
export class PrivacyStore {
  #bytesSent = $state(0);

  get bytesSent(): number {
    return this.#bytesSent;
  }

  set bytesSent(bytes: number) {
    this.#bytesSent = bytes;
  }
}
