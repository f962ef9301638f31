import { listMicrophones, onDevicesChanged } from '@src/capture/devices.ts';

export interface MicrophoneChoice {
  readonly deviceId: string;
  /** Empty until the user has allowed the microphone once. */
  readonly label: string;
}

/** The microphones of this device, kept up to date as they come and go. */
export class MicrophonesStore {
  #list = $state.raw<readonly MicrophoneChoice[]>([]);

  constructor() {
    onDevicesChanged(() => void this.refresh());
  }

  get list(): readonly MicrophoneChoice[] {
    return this.#list;
  }

  async refresh(): Promise<void> {
    try {
      this.#list = await listMicrophones();
    } catch {
      this.#list = []; // no microphone access at all: recording says so when it is asked for
    }
  }

  nameOf(deviceId: string | undefined): string {
    const chosen = this.#list.find((microphone) => microphone.deviceId === (deviceId ?? 'default'));
    return chosen?.label ?? '';
  }
}
