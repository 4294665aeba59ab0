// Stands in for the editor and map packages that @grafana/ui imports and no panel here shows.
export default {};
export const Editor = () => null;
export const DiffEditor = () => null;
export const useMonaco = () => null;
export const loader = { config() {} };
