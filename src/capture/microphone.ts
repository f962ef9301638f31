import { UnisonoError } from '@core/protocol/errors.ts';

export interface MicrophoneRequest {
  readonly deviceId?: string;
  readonly echoCancellation: boolean;
  readonly noiseSuppression: boolean;
  readonly autoGainControl: boolean;
}

/** What `getUserMedia` rejected with, as what a person can do about it. */
function toMicrophoneError(thrown: unknown): UnisonoError {
  const name = thrown instanceof DOMException ? thrown.name : '';
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return new UnisonoError(
        'microphone-denied',
        'This page may not use the microphone. Allow it in the address bar or in the settings of the system, then record again.',
        { cause: thrown },
      );
    case 'NotFoundError':
    case 'OverconstrainedError':
      return new UnisonoError(
        'microphone-missing',
        'The microphone was not found. Plug one in or choose another, then record again.',
        { cause: thrown },
      );
    case 'NotReadableError':
    case 'AbortError':
      return new UnisonoError(
        'microphone-busy',
        'The microphone could not be opened; another program may be using it. Close that program or choose another microphone, then record again.',
        { cause: thrown },
      );
    default:
      return new UnisonoError(
        'capture-unsupported',
        'This browser cannot record here. Open the page over https or on localhost, in a current browser.',
        { cause: thrown },
      );
  }
}

/** @throws {UnisonoError} `microphone-denied`, `-missing`, `-busy`, `capture-unsupported` */
export async function openMicrophone(request: MicrophoneRequest): Promise<MediaStream> {
  const { deviceId, echoCancellation, noiseSuppression, autoGainControl } = request;
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: {
        ...(deviceId !== undefined && { deviceId: { exact: deviceId } }),
        echoCancellation,
        noiseSuppression,
        autoGainControl,
        channelCount: { ideal: 1 },
      },
    });
  } catch (thrown) {
    throw toMicrophoneError(thrown);
  }
}

export const microphoneUnplugged = (): UnisonoError =>
  new UnisonoError(
    'microphone-unplugged',
    'The microphone was unplugged or switched off. Everything up to then is kept. Plug it in or choose another, then record on.',
  );

export const microphoneMuted = (): UnisonoError =>
  new UnisonoError(
    'microphone-muted',
    'The microphone is muted by the system or by a switch on it: nothing is heard. Recording goes on; unmute it to be heard.',
  );
