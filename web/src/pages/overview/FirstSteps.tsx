import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';

import { serverQuery } from '../../api/session';
import { CopyButton } from '../../components/CopyButton';
import classes from './OverviewPage.module.css';

const mint = 'keystile credential create --description backup --grant BACKEND/BUCKET:read,list --expires-in 30d';

interface FirstStepsProps {
  /** A credential is there; it only was not used. */
  minted: boolean;
}

/** How the first request comes to be. */
export function FirstSteps({ minted }: FirstStepsProps) {
  const endpoint = useQuery(serverQuery).data?.s3_endpoint;
  const use = endpoint && `aws --endpoint-url ${endpoint} s3 ls`;
  if (minted) {
    return (
      <div>
        <Text>No S3 request came in the last 24 hours. A program with a <Link to="/admin/s3-proxy">credential</Link> calls with it:</Text>
        {use && <Command text={use} />}
      </div>
    );
  }
  return (
    <ol className={classes.steps}>
      <li>
        <Link to="/admin/s3-proxy">Create a credential</Link>, which opens some buckets to one program, or by command:
        <Command text={mint} />
      </li>
      <li>
        Use it with any S3 client. Its id and secret go into the environment as <code>AWS_ACCESS_KEY_ID</code> and <code>AWS_SECRET_ACCESS_KEY</code>:
        {use && <Command text={use} />}
      </li>
      <li>Come back: requests, errors and refusals are counted here by the hour.</li>
    </ol>
  );
}

function Command({ text }: { text: string }) {
  return (
    <div className={classes.command}>
      <code>{text}</code>
      <CopyButton text={text} what="command" />
    </div>
  );
}
