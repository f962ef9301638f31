import { mount } from 'svelte';
import AppView from './App.svelte';
import { CaptureSession } from './capture/capture-session.ts';
import { EngineClient } from './engine/engine-client.ts';
import { serviceWorkerReady, watchBytesSent } from './page/service-worker.ts';
import { App } from './stores/app.svelte.ts';
import './ui/tokens.css';
import './ui/base.css';

const app = new App({ engine: new EngineClient(), capture: CaptureSession });

const query = location.search;
// What the address asks for is done once: a reload shows what was recorded and does not record again.
if (query) history.replaceState(null, '', location.pathname);

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');
mount(AppView, { target, props: { app } });

watchBytesSent((bytesSent) => {
  app.privacy.bytesSent = bytesSent;
});
void app.start(query, serviceWorkerReady());
