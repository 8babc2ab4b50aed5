/** What a tenant's share of the components is called. Both names are made by the caller and safe in every component. */
export interface TenantRef {
  readonly mongoDatabase: string;
  /** `t-<32 hex digits>`: the bucket, and the first part of each topic. */
  readonly storeName: string;
}

/** A component that keeps something for each tenant. Both operations can be repeated after a crash at any point. */
export interface TenantStore {
  /** For messages a person reads, e.g. `document database`. */
  readonly label: string;
  /** Creates what the tenant needs; doing it again changes nothing. */
  create(tenant: TenantRef): Promise<void>;
  /** Removes it again with everything in it; nothing there is fine. */
  drop(tenant: TenantRef): Promise<void>;
  close(): Promise<void>;
}

/** Longest time one `create` or `drop` may take, in milliseconds: shorter than the 10 s in which the process must drain. */
export const STORE_DEADLINE_MS = 8_000;
