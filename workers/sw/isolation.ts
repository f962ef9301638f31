import type { WorkboxPlugin } from 'workbox-core';

/**
 * Adds the headers that make a page cross-origin isolated, for hosts that cannot set them:
 * without them there is no SharedArrayBuffer and so only one WASM thread.
 */
export const isolationPlugin: WorkboxPlugin = {
  handlerWillRespond: async ({ response }) => isolated(response),
};

function isolated(response: Response): Response {
  if (response.type === 'opaque' || response.type === 'error' || response.status === 0) return response;
  const headers = new Headers(response.headers);
  headers.set('Cross-Origin-Opener-Policy', 'same-origin');
  headers.set('Cross-Origin-Embedder-Policy', 'require-corp');
  headers.set('Cross-Origin-Resource-Policy', 'same-origin');
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}
