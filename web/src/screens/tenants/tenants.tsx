export default function Tenants() {
  return null;
}
