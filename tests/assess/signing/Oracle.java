import com.android.apksig.ApkVerifier;
import com.android.apksig.ApkVerifier.IssueWithParams;
import com.android.apksig.ApkVerifier.Result;
import com.android.apksig.apk.ApkUtils;
import com.android.apksig.util.DataSources;
import java.io.File;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Scanner;
import java.util.TreeSet;

/**
 * Asks the library of apksigner what apksigner itself asks it, for many files in one start of the JVM.
 *
 * One question a line: "MIN MAX PATH", where -1 stands for what apksigner does without the option. One answer a line,
 * fields set apart by tabs: verified or rejected or threw; the manifest's minSdkVersion, or ?; its
 * targetSandboxVersion, or ?; issues or the exception; SHA-256 of the certificates that apksigner would print.
 */
public final class Oracle {
    public static void main(String[] arguments) throws Exception {
        Scanner questions = new Scanner(System.in, "UTF-8");
        while (questions.hasNextLine()) {
            String[] question = questions.nextLine().split(" ", 3);
            File file = new File(question[2]);
            String answer = verify(file, Integer.parseInt(question[0]), Integer.parseInt(question[1]), manifest(file));
            System.out.write((answer + "\n").getBytes(StandardCharsets.UTF_8));
            System.out.flush();
        }
    }

    private static String manifest(File file) {
        try (RandomAccessFile opened = new RandomAccessFile(file, "r")) {
            ByteBuffer manifest = ApkUtils.getAndroidManifest(DataSources.asDataSource(opened));
            return ApkUtils.getMinSdkVersionFromBinaryAndroidManifest(manifest.slice())
                    + "\t" + ApkUtils.getTargetSandboxVersionFromBinaryAndroidManifest(manifest.slice());
        } catch (Exception problem) {
            return "?\t?";
        }
    }

    private static String verify(File file, int low, int high, String manifest) throws Exception {
        ApkVerifier.Builder builder = new ApkVerifier.Builder(file);
        if (low >= 0) {
            builder.setMinCheckedPlatformVersion(low);
        }
        if (high >= 0) {
            builder.setMaxCheckedPlatformVersion(high);
        }
        try {
            Result result = builder.build().verify();
            TreeSet<String> certificates = new TreeSet<>();
            for (X509Certificate certificate : result.getSignerCertificates()) {
                certificates.add(hex(MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded())));
            }
            return (result.isVerified() ? "verified" : "rejected")
                    + "\t" + manifest + "\t" + String.join(",", issues(result)) + "\t" + String.join(",", certificates);
        } catch (Exception problem) {
            return "threw\t" + manifest + "\t" + problem.toString().replaceAll("\\s", " ") + "\t";
        }
    }

    private static TreeSet<String> issues(Result result) {
        TreeSet<String> names = new TreeSet<>();
        add(names, result.getErrors());
        result.getV1SchemeSigners().forEach(signer -> add(names, signer.getErrors()));
        result.getV2SchemeSigners().forEach(signer -> add(names, signer.getErrors()));
        result.getV3SchemeSigners().forEach(signer -> add(names, signer.getErrors()));
        return names;
    }

    private static void add(TreeSet<String> names, List<IssueWithParams> issues) {
        issues.forEach(issue -> names.add(issue.getIssue().name()));
    }

    private static String hex(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (byte one : bytes) {
            text.append(String.format("%02x", one));
        }
        return text.toString();
    }
}
