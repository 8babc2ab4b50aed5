/** The public status of working hours, asked as it goes over the wire. */
import { type RawRequest, send } from './http.ts';

export type StatusRequest = RawRequest & { method?: string };

/** @param query with its question mark. */
export async function askStatus(url: string, query: string, { method = 'GET', ...options }: StatusRequest) {
  const { text, ...answer } = await send(url, method, `/api/working-hours/status${query}`, options);
  return { ...answer, text, body: text ? JSON.parse(text) : undefined };
}
