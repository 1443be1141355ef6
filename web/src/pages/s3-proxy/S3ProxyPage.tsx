import { PageHeader } from '../../components/PageHeader';

export function S3ProxyPage() {
  return <PageHeader title="Credentials" />;
}
