/** Filled in by the build (vite.config.ts). */
declare const __APP_VERSION__: string;
/** Folder of ONNX Runtime's wasm files, with a slash at both ends. */
declare const __ORT_URL__: string;
/** Origin of the model hub, or its folder on this origin, with a slash at its end. */
declare const __HUB_URL__: string;
/** True except in production builds: fault injection is compiled out of those. */
declare const __TEST_HOOKS__: boolean;
/** Names this build among others that are open at the same time; a later build has a higher number. */
declare const __BUILD__: number;
/** Number of the protocol between tabs (core/protocol/tabs.ts); tests build with another one. */
declare const __PROTOCOL__: number;
