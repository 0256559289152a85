// Voices, which a function gives to `conv.setVoice` and `conv.randomizeVoice`.

import { snakeCase } from "./names.js";

/** A voice of any provider. */
export class Voice {
  /**
   * @param {string} provider
   * @param {string} providerVoiceId
   * @param {object} [settings]
   */
  constructor(provider, providerVoiceId, settings = {}) {
    this.provider = provider;
    this.providerVoiceId = providerVoiceId;
    this.settings = settings;
  }

  /** The voice as the platform knows it. */
  toJSON() {
    const settings = Object.entries(this.settings).map(([name, value]) => [snakeCase(name), value]);
    return { provider: this.provider, provider_voice_id: this.providerVoiceId, ...Object.fromEntries(settings) };
  }
}

/** A voice of a provider that has no class here. */
export class CustomVoice extends Voice {}

/** A voice of ElevenLabs. */
export class ElevenLabsVoice extends Voice {
  /**
   * @param {string} providerVoiceId
   * @param {object} [settings]
   */
  constructor(providerVoiceId, settings) {
    super("elevenlabs", providerVoiceId, settings);
  }
}

/** A voice of Rime. */
export class RimeVoice extends Voice {
  /**
   * @param {string} providerVoiceId
   * @param {object} [settings]
   */
  constructor(providerVoiceId, settings) {
    super("rime", providerVoiceId, settings);
  }
}

/** A voice of Cartesia. */
export class CartesiaVoice extends Voice {
  /**
   * @param {string} providerVoiceId
   * @param {object} [settings]
   */
  constructor(providerVoiceId, settings) {
    super("cartesia", providerVoiceId, settings);
  }
}

/** A voice of PlayHT. */
export class PlayHTVoice extends Voice {
  /**
   * @param {string} providerVoiceId
   * @param {object} [settings]
   */
  constructor(providerVoiceId, settings) {
    super("playht", providerVoiceId, settings);
  }
}

/** A voice of MiniMax. */
export class MinimaxVoice extends Voice {
  /**
   * @param {string} modelId
   * @param {string} voiceId
   * @param {object} [settings]
   */
  constructor(modelId, voiceId, settings) {
    super("minimax", voiceId, { modelId, ...settings });
  }
}

/** A voice of Hume. */
export class HumeVoice extends Voice {
  /**
   * @param {string} providerVoiceId
   * @param {{ provider?: string }} [settings]
   */
  constructor(providerVoiceId, { provider, ...settings } = {}) {
    super("hume", providerVoiceId, { ...settings, humeProvider: provider });
  }
}

/** A voice of Google. */
export class GoogleVoice extends Voice {
  /**
   * @param {string} providerVoiceId
   * @param {object} [settings]
   */
  constructor(providerVoiceId, settings) {
    super("google", providerVoiceId, settings);
  }
}

/** A voice, and how likely it is to be chosen. */
export class VoiceWeighting {
  /**
   * @param {Voice} voice
   * @param {number} [weight]
   */
  constructor(voice, weight) {
    this.voice = voice;
    this.weight = weight;
  }
}
