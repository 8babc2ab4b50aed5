export default function Tenant() {
  return null;
}
