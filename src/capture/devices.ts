/** Microphones that can be chosen. Without permission browsers give them no label, or none at all. */
export async function listMicrophones(): Promise<MediaDeviceInfo[]> {
  // Absent outside secure contexts, whatever the types say.
  const devices = (await (navigator.mediaDevices as MediaDevices | undefined)?.enumerateDevices()) ?? [];
  return devices.filter(({ kind, deviceId }) => kind === 'audioinput' && deviceId !== '');
}

/** Calls `listener` when a device is plugged in or out; the result stops that. */
export function onDevicesChanged(listener: () => void): () => void {
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  devices?.addEventListener('devicechange', listener);
  return () => devices?.removeEventListener('devicechange', listener);
}
