/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'core-runs-on-any-thread',
      comment: 'src/core imports nothing that belongs to one thread: no page, no worker, no ONNX Runtime.',
      severity: 'error',
      from: { path: '^src/core/' },
      to: { path: '^(src/(?!core/|paraglide/)|workers/)|onnxruntime|@huggingface/transformers|svelte|idb' },
    },
    {
      name: 'page-leaves-workers-alone',
      comment: 'The page reaches workers by protocol only; their modules would pull ONNX Runtime into it.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^workers/(?!.*\\.worker\\.ts$|audio/.*\\.worklet\\.ts$)' },
    },
    {
      name: 'workers-leave-the-page-alone',
      severity: 'error',
      from: { path: '^workers/' },
      to: { path: '^src/(?!core/|storage/)' },
    },
    {
      name: 'ui-goes-through-stores',
      comment: 'Components make no worker, storage or audio calls.',
      severity: 'error',
      from: { path: '^src/ui/' },
      to: { path: '^src/(engine|capture|storage)/', dependencyTypesNot: ['type-only'] },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: {
        orphan: true,
        pathNot: '\\.d\\.ts$|main\\.ts$|\\.worker\\.ts$|\\.worklet\\.ts$|workers/sw/sw\\.ts$',
      },
      to: {},
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^virtual:|\\?' },
    },
    {
      name: 'no-dev-dependencies',
      severity: 'error',
      from: { path: '^(src|workers)/' },
      to: { dependencyTypes: ['npm-dev'] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: 'src/paraglide' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['svelte', 'browser', 'import', 'default'],
    },
  },
};
