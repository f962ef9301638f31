import type { DeviceFacts } from './ladder.ts';

/** Adapters that compute on the CPU: right, but slower than the WASM backend. */
const SOFTWARE_ADAPTER = /swiftshader|llvmpipe|lavapipe|basic render/i;

/** What this browser offers to models. A lost or refused adapter counts as none. */
export async function deviceFacts(): Promise<DeviceFacts> {
  // The types promise it; older browsers and insecure pages do not have it.
  const gpu = navigator.gpu as GPU | undefined;
  const adapter = (await gpu?.requestAdapter().catch(() => null)) ?? null;
  const { vendor, architecture, device, description } = adapter?.info ?? {};
  const name = [vendor, architecture, device, description].filter(Boolean).join(' ');
  return {
    webgpu: adapter && {
      shaderF16: adapter.features.has('shader-f16'),
      software: adapter.info.isFallbackAdapter || SOFTWARE_ADAPTER.test(name),
      name,
      maxBufferBytes: adapter.limits.maxBufferSize,
    },
    crossOriginIsolated: globalThis.crossOriginIsolated,
    cores: navigator.hardwareConcurrency,
    memoryGiB: (navigator as { deviceMemory?: number }).deviceMemory ?? null,
  };
}
