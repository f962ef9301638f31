import type { Language } from '@core/transcript/types.ts';
import { drawCaptions } from './drawing.ts';
import type { CaptionLine } from './lines.ts';

/** As wide as a phone has pixels for it; 16:9 is what the browser gives such a window anyway. */
const SIZE_PX = { width: 1280, height: 720 };

/** Picture-in-Picture for videos, which Chrome on Android has. */
export const canFloatVideo = (): boolean =>
  document.pictureInPictureEnabled &&
  'requestPictureInPicture' in HTMLVideoElement.prototype &&
  'captureStream' in HTMLCanvasElement.prototype;

/** Captions as a muted video, where only videos may float above other apps. Drawn when the words change, by no clock. */
export class CaptionVideo {
  readonly #canvas = Object.assign(document.createElement('canvas'), SIZE_PX);
  readonly #video = Object.assign(document.createElement('video'), { muted: true, playsInline: true });
  readonly #onClosed: () => void;

  constructor(onClosed: () => void) {
    this.#onClosed = onClosed;
  }

  /** @param target the language that is translated into */
  draw(lines: readonly CaptionLine[], target: Language | null): void {
    const context = this.#canvas.getContext('2d');
    if (context) drawCaptions(context, lines, target);
  }

  /** Draw first: a video without a picture cannot float. False where the browser refused. */
  async open(): Promise<boolean> {
    this.#video.srcObject = this.#canvas.captureStream();
    try {
      await this.#video.play();
      await this.#video.requestPictureInPicture();
    } catch {
      this.#end();
      return false;
    }
    this.#video.addEventListener('leavepictureinpicture', () => this.#end(), { once: true });
    return true;
  }

  async close(): Promise<void> {
    if (document.pictureInPictureElement === this.#video) await document.exitPictureInPicture();
  }

  #end(): void {
    const stream = this.#video.srcObject;
    if (stream instanceof MediaStream) for (const track of stream.getTracks()) track.stop();
    this.#video.srcObject = null;
    this.#onClosed();
  }
}
