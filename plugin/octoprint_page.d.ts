/** What the plugin's scripts use of OctoPrint's own page, of Knockout, and of PNotify. */

interface Subscribable<T> {
  (): T;
  subscribe(callback: (value: T) => void): unknown;
}
interface Observable<T> extends Subscribable<T> {
  (value: T): void;
}
interface ObservableArray<T> extends Observable<T[]> {
  push(item: T): void;
  remove(item: T): void;
}
declare const ko: {
  observable<T>(value: T): Observable<T>;
  observableArray<T>(items: T[]): ObservableArray<T>;
  pureComputed<T>(compute: () => T): Subscribable<T>;
  /** The values of observables, in an object of the same shape. */
  toJS<T>(source: T): { [K in keyof T]: T[K] extends Subscribable<infer V> ? V : T[K] };
};

interface FolderEntry {
  type: string;
  name: string;
  path: string;
  size?: number;
  children?: FolderEntry[];
}
declare const OctoPrint: {
  get(path: string): Promise<any>; // An answer is JSON; who asks says of which type.
  postJson(path: string, data: object): Promise<any>; // The same.
  getRequestHeaders(method: string): Record<string, string>;
  files: {
    listForLocation(location: string, recursively: boolean): Promise<{ files: FolderEntry[] }>;
  };
};

/** A permission, as OctoPrint's page has it. */
interface Permission {
  readonly needs: unknown;
}
interface LoginStateViewModel {
  hasPermission(permission: Permission | undefined): boolean;
}
interface AccessViewModel {
  permissions: Record<string, Permission>;
}
/** Settings as OctoPrint's dialog holds them: those of the plugin are of the type P. */
interface SettingsViewModel<P> {
  settings: { plugins: { crdtqueue: P } };
  selectTab(target: string): void;
}

declare class PNotify {
  constructor(options: { title: string; text: string; type: "error" });
}
declare const _: { escape(text: string): string };
declare function $(ready: () => void): void;
declare const PLUGIN_BASEURL: string;
declare const OCTOPRINT_VIEWMODELS: {
  construct: new (viewModels: any) => object; // Of the types that `dependencies` names.
  dependencies: string[];
  elements: string[];
}[];
