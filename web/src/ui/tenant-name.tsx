/** A tenant of which only the id is known, as a way to it. */
import { Anchor, Code, Skeleton } from '@mantine/core';
import { Link } from 'react-router';
import { useQuery } from 'urql';
import { TenantNameDocument } from '../documents.gen.ts';

export function TenantName({ id }: { id: string }) {
  const [{ data, error }] = useQuery({ query: TenantNameDocument, variables: { id } });
  if (error && !data) return <Code>{id}</Code>;
  if (!data) return <Skeleton component="span" display="inline-block" width={120} height={14} />;
  return (
    <Anchor component={Link} to={`/tenants/${id}`} inherit fw={600} underline="hover">
      {data.tenant.name}
    </Anchor>
  );
}
