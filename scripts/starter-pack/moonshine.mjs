/**
 * What the Moonshine package leaves out: transformers.js needs configs and a tokenizer in its own
 * layout. The values are those of the published model (UsefulSensors/moonshine-tiny) and the
 * shapes of its graphs; the tokenizer is Llama's with 768 more special tokens.
 */

const BOS_ID = 1;
const EOS_ID = 2;
const LLAMA_TOKENS = 32_000;
const EXTRA_SPECIAL_TOKENS = 768;

const special = (id, content) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
});

const bosThen = (id, type) => [
  { SpecialToken: { id: '<s>', type_id: type } },
  { Sequence: { id, type_id: type } },
];

/**
 * The tokenizer in the format of tokenizer.json.
 * @param {{ vocabById: string[], merges: Map<string, number> }} llama the tokenizer of
 *   llama-tokenizer-js: its 32,000 entries by id, and its merges ("left right") with their rank
 */
export function moonshineTokenizer(llama) {
  if (llama.vocabById.length !== LLAMA_TOKENS) {
    throw new Error(`llama-tokenizer-js has ${llama.vocabById.length} entries, expected ${LLAMA_TOKENS}`);
  }
  const merges = [...llama.merges].sort(([, a], [, b]) => a - b).map(([pair]) => pair);
  const extra = Array.from({ length: EXTRA_SPECIAL_TOKENS }, (_, index) =>
    special(LLAMA_TOKENS + index, `<<ST_${index}>>`),
  );
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [special(0, '<unk>'), special(BOS_ID, '<s>'), special(EOS_ID, '</s>'), ...extra],
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    pre_tokenizer: null,
    post_processor: {
      type: 'TemplateProcessing',
      single: bosThen('A', 0),
      pair: [...bosThen('A', 0), ...bosThen('B', 1)],
      special_tokens: { '<s>': { id: '<s>', ids: [BOS_ID], tokens: ['<s>'] } },
    },
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: '<unk>',
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab: Object.fromEntries(llama.vocabById.map((token, id) => [token, id])),
      merges,
    },
  };
}

/** The other files transformers.js reads for Moonshine tiny, by name. */
export const MOONSHINE_CONFIGS = {
  'config.json': {
    model_type: 'moonshine',
    architectures: ['MoonshineForConditionalGeneration'],
    is_encoder_decoder: true,
    hidden_size: 288,
    encoder_num_hidden_layers: 6,
    encoder_num_key_value_heads: 8,
    decoder_num_hidden_layers: 6,
    decoder_num_key_value_heads: 8,
    decoder_start_token_id: BOS_ID,
    bos_token_id: BOS_ID,
    eos_token_id: EOS_ID,
    max_position_embeddings: 194,
    vocab_size: LLAMA_TOKENS + EXTRA_SPECIAL_TOKENS,
  },
  'generation_config.json': {
    bos_token_id: BOS_ID,
    decoder_start_token_id: BOS_ID,
    eos_token_id: EOS_ID,
    max_length: 194,
  },
  'preprocessor_config.json': {
    processor_class: 'MoonshineProcessor',
    feature_extractor_type: 'MoonshineFeatureExtractor',
    feature_size: 1,
    sampling_rate: 16_000,
    padding_value: 0,
    do_normalize: false,
    return_attention_mask: false,
  },
  'tokenizer_config.json': {
    tokenizer_class: 'PreTrainedTokenizerFast',
    bos_token: '<s>',
    eos_token: '</s>',
    unk_token: '<unk>',
    clean_up_tokenization_spaces: false,
  },
};
