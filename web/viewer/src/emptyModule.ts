// Replaces the editor and map packages that @grafana/ui imports and that no panel uses.
export default {};
export const Editor = () => null;
export const DiffEditor = () => null;
export const useMonaco = () => null;
export const loader = { config() {} };
