import type { SpeakerEmbedding } from './embedding.ts';
import type { Recognizer } from './recognizer.ts';
import type { Segmentation } from './segmentation.ts';
import type { Translator } from './translator.ts';

/** Any loaded model. What it can do tells which it is. */
export type Model = Recognizer | Translator | Segmentation | SpeakerEmbedding;
