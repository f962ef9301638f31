import { UnisonoError } from '@core/protocol/errors.ts';

/**
 * The sound of a tab, window or screen the user picks. The picture, without which browsers share
 * nothing, is not recorded; its track stays, because Chromium ends the sound with it.
 * @throws {UnisonoError} `share-denied`, `share-without-audio`, `capture-unsupported`
 */
export async function openTabAudio(): Promise<MediaStream> {
  let stream: MediaStream;
  try {
    stream = await navigator.mediaDevices.getDisplayMedia({
      video: true,
      // The sound of a call as it is: its processing was done on the other side.
      audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
      systemAudio: 'include',
    } as DisplayMediaStreamOptions);
  } catch (thrown) {
    const name = thrown instanceof DOMException ? thrown.name : '';
    if (name === 'NotAllowedError' || name === 'InvalidStateError')
      throw new UnisonoError(
        'share-denied',
        'Nothing was shared. Press share again and pick a tab or a screen.',
        {
          cause: thrown,
        },
      );
    throw new UnisonoError(
      'capture-unsupported',
      'This browser cannot share the sound of a tab. Use Chrome or Edge on a computer, or record with the microphone.',
      { cause: thrown },
    );
  }
  if (stream.getAudioTracks().length > 0) return stream;
  for (const track of stream.getTracks()) track.stop();
  throw new UnisonoError(
    'share-without-audio',
    'What you shared has no sound. Share again, pick a tab, and switch on “Also share tab audio”.',
  );
}

export const shareEnded = (): UnisonoError =>
  new UnisonoError(
    'share-ended',
    'Sharing was stopped. Everything up to then is kept. Share again to go on.',
  );
