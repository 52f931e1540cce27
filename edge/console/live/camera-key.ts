/** Names a camera among those of all venues, as the box does. */
export function cameraKey(tenant: string, id: string): string {
  return `${tenant}/${id}`;
}
