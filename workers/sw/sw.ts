/// <reference lib="webworker" />
import { clientsClaim } from 'workbox-core';
import {
  addPlugins,
  cleanupOutdatedCaches,
  createHandlerBoundToURL,
  precacheAndRoute,
} from 'workbox-precaching';
import { NavigationRoute, registerRoute } from 'workbox-routing';
import { CacheFirst } from 'workbox-strategies';
import { isolationPlugin } from './isolation.ts';
import { TrafficMeter } from './traffic.ts';

declare const self: ServiceWorkerGlobalScope;

const traffic = new TrafficMeter();
self.addEventListener('fetch', (event) => event.waitUntil(traffic.count(event.request)));

// A first visit is controlled at once, so that it is the only visit that needs the network.
// Later builds wait until every tab of the old one is closed: a meeting is never reloaded.
self.addEventListener('install', (event) => {
  if (!self.registration.active) event.waitUntil(self.skipWaiting());
});
clientsClaim();

addPlugins([isolationPlugin]);
cleanupOutdatedCaches();
precacheAndRoute(self.__WB_MANIFEST);
registerRoute(
  new NavigationRoute(createHandlerBoundToURL('/index.html'), { denylist: [/^\/(models|ort)\//] }),
);

// ONNX Runtime's files carry their version in the path and are large: kept at first use.
// Weights are not cached here; they live in IndexedDB (workers/model-store).
registerRoute(
  ({ sameOrigin, url }) => sameOrigin && url.pathname.startsWith('/ort/'),
  new CacheFirst({ cacheName: 'onnxruntime', plugins: [isolationPlugin] }),
);
