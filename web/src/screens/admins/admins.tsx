export default function Admins() {
  return null;
}
